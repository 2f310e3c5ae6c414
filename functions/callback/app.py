"""The HTTP endpoint that the provider calls when a batch ends. What it says is a hint; who says it is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Flask, Response, request

from shared.domain.callbacks import verified_unit
from shared.ports import ObjectStore
from shared.services.bucket_records import BucketRecords

# Bailian documents no body; whatever comes is not read, and more than this is not even received.
MAX_BODY_BYTES = 64 * 1024


def create_app(secret: bytes, open_store: Callable[[Mapping[str, object]], ObjectStore]) -> Flask:
    """Build the application.

    Args:
        secret: What callback URLs are signed with.
        open_store: Opens the bucket with the credentials of the invocation that a request's environ belongs to.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES

    @app.post("/finished/<job>/<attempt_shard>/<signature>")
    def finished(job: str, attempt_shard: str, signature: str) -> Response:
        unit = verified_unit(f"{job}/{attempt_shard}", signature, secret)
        if unit is None:
            return Response('{"error":"not_found"}', status=404, mimetype="application/json")
        # Stored first, answered after: nobody delivers this request a second time for us.
        BucketRecords(open_store(request.environ)).put_finished(unit, heard_from="callback")
        return Response('{"ok":true}', mimetype="application/json")

    return app
