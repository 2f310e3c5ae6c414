"""Entry point of the function ``message``."""
