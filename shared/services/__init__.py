"""Use cases: the order of the steps. They see only ``domain`` and ``ports``."""
