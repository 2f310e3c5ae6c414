"""A word to people: what puts it into the outbox, and what tells it."""
