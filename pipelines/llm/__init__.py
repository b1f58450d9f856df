"""An endpoint of a language model, where one is set."""
