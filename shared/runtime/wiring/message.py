"""Wires the function ``message``."""

from __future__ import annotations

from shared.pipeline.hear import HearMessage
from shared.runtime.context import FcContext
from shared.runtime.settings import current_settings
from shared.runtime.wiring.open_store import open_store
from shared.runtime.wiring.providers.profiles import PROFILES


def hear_message(context: FcContext) -> HearMessage:
    return HearMessage(open_store(current_settings(), context), PROFILES)
