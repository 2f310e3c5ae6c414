"""The composition root, one module for each thing that is wired, so that no zip holds what its function never needs."""
