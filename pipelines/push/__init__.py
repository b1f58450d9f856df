"""Drafts to where writers work: as drafts, never published, one for each gap."""
