"""Entry point of the function ``validate``."""
