"""What became of what was fixed."""
