"""Wires the function ``validate``."""

from __future__ import annotations

from datetime import timedelta

from shared.pipeline.deadlines import SHARE_TO_VALIDATE
from shared.pipeline.validate.validate_file import ValidateFile
from shared.runtime.context import FcContext
from shared.runtime.settings import current_settings
from shared.runtime.system_clock import SystemClock, new_run_id
from shared.runtime.wiring.open_store import open_store
from shared.runtime.wiring.providers.profiles import provider_choice
from shared.runtime.wiring.providers.real_time import real_times


def validate_file(context: FcContext) -> ValidateFile:
    settings = current_settings()
    clock = SystemClock()
    timeout = timedelta(seconds=context.timeout_s) if context.timeout_s else None
    return ValidateFile(
        store=open_store(settings, context),
        clock=clock,
        providers=provider_choice(settings),
        default_model=settings.default_model,
        run_id=new_run_id(),
        real_times=real_times(settings),
        month_budget=settings.month_budget,
        stop_at=clock.now() + timeout * SHARE_TO_VALIDATE if timeout else None,
    )
