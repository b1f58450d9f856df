"""Intervals, trends and seasons."""
