"""Serves the callback endpoint from Function Compute's HTTP trigger."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask

from functions.callback.app import MAX_EVENT_BYTES, create_app
from shared.ports.store import ObjectStore
from shared.runtime.http_trigger import context_of, http_handler
from shared.runtime.settings import current_settings
from shared.runtime.wiring.event_checks import event_check
from shared.runtime.wiring.profiles import PROFILES
from shared.runtime.wiring.stores import open_store


def _app() -> Flask:
    settings = current_settings()

    def store_of(environ: Mapping[str, object]) -> ObjectStore:
        return open_store(settings, context_of(environ))

    secret = settings.require_callback_secret().get_secret_value().encode()
    return create_app(secret, store_of, PROFILES, event_check(settings))


# Twice the largest body, since a trigger's event may hold it as base64, and its headers.
handler = http_handler(_app, max_event_bytes=2 * MAX_EVENT_BYTES)
