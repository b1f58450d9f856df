"""The seven steps of a run, one folder a step; each begins in its ``step.py``."""
