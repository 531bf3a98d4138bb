"""Properties that every engine must have, whatever the events."""
