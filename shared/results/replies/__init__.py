"""What a provider says of each row: its answer, whole, or why there is none."""
