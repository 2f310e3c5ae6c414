"""The main job, shown: ``scripts/demo``."""
