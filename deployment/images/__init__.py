"""The images of the platform, built on any machine with Docker, with a registry or without one."""
