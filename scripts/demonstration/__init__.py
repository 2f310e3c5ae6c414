"""The main job, shown: ``scripts/batchdrop demo``."""
