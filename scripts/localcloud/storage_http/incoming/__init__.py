"""A request to a store, read as far as all of them agree, and what is to go wrong with it."""
