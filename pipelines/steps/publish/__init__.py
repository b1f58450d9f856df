"""publish: the run folder."""
