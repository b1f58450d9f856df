"""How things are shown on a terminal and in sheets."""
