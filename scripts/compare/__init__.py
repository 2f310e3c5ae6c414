"""Compares what two checkouts make of the same files: ``python -m scripts.compare OLD NEW``."""
