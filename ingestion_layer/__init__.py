"""Making, replaying and landing events."""
