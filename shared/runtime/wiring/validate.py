"""Wires the function ``validate``."""

from __future__ import annotations

from shared.pipeline.validate.validate_file import ValidateFile
from shared.runtime.clock import SystemClock, new_run_id
from shared.runtime.context import FcContext
from shared.runtime.settings import current_settings
from shared.runtime.wiring.profiles import DEFAULT_PROFILE
from shared.runtime.wiring.stores import open_store


def validate_file(context: FcContext) -> ValidateFile:
    settings = current_settings()
    return ValidateFile(
        store=open_store(settings, context),
        clock=SystemClock(),
        profile=DEFAULT_PROFILE,
        default_model=settings.default_model,
        run_id=new_run_id(),
    )
