"""What a writer needs of what customers and agents said."""
