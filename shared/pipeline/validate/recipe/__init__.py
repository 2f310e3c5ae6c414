"""Finds, reads and checks the recipe of a dropped file."""
