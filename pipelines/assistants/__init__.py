"""What assistants read of a store: the board's views by the Model Context Protocol."""
