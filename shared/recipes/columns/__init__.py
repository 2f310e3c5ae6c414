"""The columns that a recipe takes from JSON answers."""
