"""Entry point of the function ``callback``."""
