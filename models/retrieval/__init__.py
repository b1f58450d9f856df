"""Questions matched to articles."""
