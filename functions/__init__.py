"""Entry points: one folder a function, each with ``index.handler``."""
