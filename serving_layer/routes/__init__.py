"""The routes of the API, one module per subject; each adds its own to the application."""
