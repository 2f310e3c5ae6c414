"""The objects under ``jobs/``: what Batchdrop remembers of a job, as frozen models in JSON."""
