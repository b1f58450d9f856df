"""What a bundle's data carry and what they don't."""
