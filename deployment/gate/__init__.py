"""What `make check` looks at beside linters and types."""
