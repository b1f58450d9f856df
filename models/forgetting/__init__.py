"""The words of conversations that have to be forgotten, taken out of texts."""
