"""Entry point of the function ``collect``."""
