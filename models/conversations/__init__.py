"""What a conversation asks, and the signals it gives."""
