"""The channels by which people get a word: one module for each kind."""
