"""The routes of the API, one module per subject; each makes a router of what it needs."""
