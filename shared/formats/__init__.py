"""Bytes to records and back: lines, encodings, gzip, YAML, JSON, CSV, tables; knows nothing of Batchdrop."""
