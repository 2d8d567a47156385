"""Database code that both programs use."""
