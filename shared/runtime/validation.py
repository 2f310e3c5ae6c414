"""Wires the validation of one upload."""

from __future__ import annotations

from shared.domain.limits import bailian_limits_for
from shared.ports import ObjectStore
from shared.runtime.clock import SystemClock
from shared.runtime.identity import new_run_id
from shared.runtime.settings import Settings
from shared.services.validate_file import ValidateFile


def file_validation(settings: Settings, store: ObjectStore) -> ValidateFile:
    return ValidateFile(
        store=store,
        clock=SystemClock(),
        limits_for=bailian_limits_for,
        default_model=settings.default_model,
        run_id=new_run_id(),
    )
