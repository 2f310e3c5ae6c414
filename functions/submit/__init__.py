"""Entry point of the function ``submit``."""
