"""The local cloud at a terminal."""
