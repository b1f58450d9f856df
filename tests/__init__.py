"""Tests of Lacuna."""
