"""Bringing the platform up: on this machine, in Compose, on Kubernetes."""
