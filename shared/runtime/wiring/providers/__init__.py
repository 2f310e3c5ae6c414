"""Which providers there are, and how each is opened with its settings."""
