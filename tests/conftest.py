"""What holds for all tests."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# No example is judged by how long it takes: the machine may be crowded.
settings.register_profile("whatever machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("whatever machine")

# A background job of a script ignores Ctrl-C, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
