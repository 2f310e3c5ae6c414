"""Serves the callback endpoint from Function Compute's HTTP trigger."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask

from functions.callback.app import create_app
from shared.ports import ObjectStore
from shared.runtime.http_trigger import context_of, http_handler
from shared.runtime.settings import current_settings
from shared.runtime.stores import open_store


def _app() -> Flask:
    settings = current_settings()

    def store_of(environ: Mapping[str, object]) -> ObjectStore:
        return open_store(settings, context_of(environ))

    return create_app(settings.require_callback_secret().get_secret_value().encode(), store_of)


handler = http_handler(_app)
