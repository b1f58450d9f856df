"""diagnose: why subtopics fail."""
