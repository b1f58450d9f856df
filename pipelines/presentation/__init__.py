"""Formatting of figures, texts, tables and charts for terminals, pages and sheets."""
