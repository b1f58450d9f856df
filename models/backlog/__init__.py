"""Gaps over time: order, owners, due days, decisions."""
