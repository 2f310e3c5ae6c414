"""Entry point of the function ``notify``."""
