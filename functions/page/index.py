"""Serves the page and its API from Function Compute's HTTP trigger."""

from __future__ import annotations

from flask import Flask

from functions.page.app import create_app
from functions.page.guard import MAX_TRIGGER_EVENT_BYTES, security_headers
from shared.runtime.http_trigger import http_handler
from shared.runtime.wiring.page import page_door


def _app() -> Flask:
    return create_app(page_door())


handler = http_handler(_app, MAX_TRIGGER_EVENT_BYTES, security_headers(bucket_origin=""))
