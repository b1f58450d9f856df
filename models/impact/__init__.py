"""The effect of fixes: what changed after an article was published or revised."""
