"""The seven steps of a run, and what drives them."""
