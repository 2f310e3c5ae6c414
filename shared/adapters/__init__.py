"""The only modules that import an SDK."""
