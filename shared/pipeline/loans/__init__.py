"""Answers that rows of one shard get from another: they ask the same, and are sent once."""
