"""Encodings: their names, and which one a file is in."""
