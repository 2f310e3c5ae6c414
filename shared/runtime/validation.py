"""Wires the validation of one upload."""

from __future__ import annotations

from shared.ports import ObjectStore
from shared.runtime.clock import SystemClock
from shared.runtime.identity import new_run_id
from shared.runtime.profiles import DEFAULT_PROFILE
from shared.runtime.settings import Settings
from shared.services.validate_file import ValidateFile


def file_validation(settings: Settings, store: ObjectStore) -> ValidateFile:
    return ValidateFile(
        store=store,
        clock=SystemClock(),
        profile=DEFAULT_PROFILE,
        default_model=settings.default_model,
        run_id=new_run_id(),
    )
