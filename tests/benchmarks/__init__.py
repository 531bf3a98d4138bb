"""What the platform costs, measured against DuckDB alone in the same run: `make bench`."""
