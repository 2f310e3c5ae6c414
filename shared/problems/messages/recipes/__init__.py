"""What may be wrong with a recipe."""
