"""The merged views in PostgreSQL, for tools that speak SQL: `learn project`."""
