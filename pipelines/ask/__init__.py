"""Questions about a published run: what is found by meaning, and why something is a gap or none."""
