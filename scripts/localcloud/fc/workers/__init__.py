"""The processes in which functions run: how they start, what they may use, who gets an event."""
