"""Slots for batches: who may submit next, and who waits."""
