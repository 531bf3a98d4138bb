"""The SQL that batch, speed and serving share: the dialect, typed events, verdicts, duplicates."""
