"""A run: its job, its window, and how its steps are performed."""
