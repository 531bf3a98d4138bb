"""The command `learn`: everything that the platform does, from a terminal. It alone may reach into every layer."""
