"""load: the bundle read, checked, and cut to the window."""
