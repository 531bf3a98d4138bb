"""xAPI 1.0.0 to 1.0.3 and 2.0.0: what is a statement, what is kept of it, and the resources that tell it."""
