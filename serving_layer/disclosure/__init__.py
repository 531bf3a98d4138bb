"""What was shown to whom: a log of every answer with rows of identified people."""
