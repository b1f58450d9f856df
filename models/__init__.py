"""Arrays and frames in, arrays and frames out: what Lacuna knows of language, statistics and support."""
