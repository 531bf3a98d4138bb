"""A plain-Python oracle of what the project must answer. It shares no code with the project, on purpose."""
