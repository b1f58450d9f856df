"""Files: bundles in, stores and caches."""
