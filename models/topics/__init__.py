"""Questions grouped into topics that keep their names."""
