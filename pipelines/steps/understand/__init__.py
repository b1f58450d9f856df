"""understand: one question a conversation, matched to articles and grouped into topics."""
