"""Words, phrases and languages: what texts are made of."""
