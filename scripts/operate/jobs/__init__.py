"""Commands about jobs, on the bucket alone."""
