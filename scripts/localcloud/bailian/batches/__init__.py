"""Batches on their way: stored, validated, answered, published."""
