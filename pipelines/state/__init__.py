"""The state database: topics, gaps, decisions."""
