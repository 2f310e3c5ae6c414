"""The use cases: the order of the steps."""
