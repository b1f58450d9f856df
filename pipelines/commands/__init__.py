"""The commands that came after the first ones, one module a subject; ``pipelines.cli`` mounts them."""
