"""What holds for all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# No example is judged by how long it takes: the machine may be crowded.
settings.register_profile("whatever machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("whatever machine")
