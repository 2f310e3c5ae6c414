"""One package for each cloud."""
