"""Serves the callback endpoint from Function Compute's HTTP trigger."""

from __future__ import annotations

from flask import Flask

from functions.callback.app import MAX_TRIGGER_EVENT_BYTES, create_app
from shared.runtime.http_trigger import http_handler
from shared.runtime.wiring.callback import callback_endpoint


def _app() -> Flask:
    return create_app(*callback_endpoint())


handler = http_handler(_app, max_event_bytes=MAX_TRIGGER_EVENT_BYTES)
