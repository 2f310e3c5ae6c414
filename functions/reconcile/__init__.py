"""Entry point of the function ``reconcile``."""
