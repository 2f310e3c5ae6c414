"""``scripts/batchdrop``: what people do with jobs, on the bucket alone."""
