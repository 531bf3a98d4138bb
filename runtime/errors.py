"""What every error of the platform's own has in common."""


class PlatformError(Exception):
    """Something that people have to know of; the message is one line: who, what must be, what came."""
