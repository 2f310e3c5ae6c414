"""What may be wrong with a dropped file and what it holds."""
