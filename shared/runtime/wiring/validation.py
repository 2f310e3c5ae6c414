"""Wires the validation of one upload."""

from __future__ import annotations

from shared.pipeline.validate.validate_file import ValidateFile
from shared.ports.store import ObjectStore
from shared.runtime.settings import Settings
from shared.runtime.wiring.clock import SystemClock, new_run_id
from shared.runtime.wiring.profiles import DEFAULT_PROFILE


def file_validation(settings: Settings, store: ObjectStore) -> ValidateFile:
    return ValidateFile(
        store=store,
        clock=SystemClock(),
        profile=DEFAULT_PROFILE,
        default_model=settings.default_model,
        run_id=new_run_id(),
    )
