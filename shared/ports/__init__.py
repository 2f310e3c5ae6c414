"""What the pipeline needs from outside: store, provider and its profile, clock, signatures."""
