"""Bytes to records and back, for every file format; knows nothing of Batchdrop."""
