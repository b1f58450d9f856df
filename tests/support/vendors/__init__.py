"""Fake help desks on loopback: each speaks its vendor's documented API, over the same conversations."""
