"""What the first start of a function costs."""
