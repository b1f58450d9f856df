"""The seven verbs of a run, and what drives them."""
