"""Entry point of the function ``page``."""
