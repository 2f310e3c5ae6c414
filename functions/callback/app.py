"""The HTTP endpoint that the provider calls when a batch ends. What it says is a hint; who says it is checked."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from shared.events.check_event import CheckEvent
from shared.events.signed_events import SignedEvent, possible_urls
from shared.pipeline.hear import HearCallback, HearMessage
from shared.ports.profile import ProviderProfile
from shared.ports.store import ObjectStore

log = logging.getLogger(__name__)

# Bailian documents no body; whatever comes is not read. EventBridge's events have 256 KB at most
# (https://www.alibabacloud.com/help/en/eventbridge/product-overview/limits), before their envelope.
MAX_BODY_BYTES = 64 * 1024
MAX_EVENT_BYTES = 512 * 1024
# An event of EventBridge names one batch.
MAX_BATCH_IDS = 20

OpenStore = Callable[[Mapping[str, object]], ObjectStore]


def create_app(
    secret: bytes,
    open_store: OpenStore,
    profiles: Sequence[ProviderProfile],
    check_event: CheckEvent | None = None,
) -> Flask:
    """Build the application. Whatever it is asked, it answers with a small JSON object.

    Args:
        secret: What callback URLs are signed with.
        open_store: Opens the bucket with the credentials of the invocation that a request's environ belongs to.
        profiles: Of the providers whose batches an event may name.
        check_event: Checks who sent an event; without it there is no address for events.
    """
    app = Flask(__name__, static_folder=None)
    # What goes wrong is logged by the handler. Flask's own log line would hold the path, and that the signature.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # an answer without a body says more than it has to
    app.url_map.merge_slashes = False  # a redirect would repeat the path
    app.before_request(_refuse_what_is_too_large)
    app.register_error_handler(HTTPException, _refused)

    @app.post("/finished/<job>/<attempt_shard>/<signature>")
    def finished(job: str, attempt_shard: str, signature: str) -> Response:
        # The ticket is put first, the answer comes after: nobody delivers this request a second time for us.
        is_ours = HearCallback(open_store(request.environ), secret)(f"{job}/{attempt_shard}", signature)
        return _answer(200, ok=True) if is_ours else _answer(404, error="not_found")

    if check_event:
        app.add_url_rule(
            "/events", "events", _events_view(check_event, open_store, profiles), methods=["POST"]
        )
    return app


def _events_view(
    check_event: CheckEvent, open_store: OpenStore, profiles: Sequence[ProviderProfile]
) -> Callable[[], Response]:
    def events() -> Response:
        body = request.get_data()
        target = str(request.environ.get("RAW_URI", request.path))
        headers = {name.lower(): value for name, value in request.headers.items()}
        refusal = check_event(SignedEvent(possible_urls(request.host, target), headers, body))
        if refusal:
            log.warning("event.refused", extra={"reason": refusal})
            return _answer(401, error="not_authorized")
        HearMessage(open_store(request.environ), profiles, max_batch_ids=MAX_BATCH_IDS)(body)
        return _answer(200, ok=True)

    return events


def _refuse_what_is_too_large() -> None:
    """Before anything is read or looked up, also where nobody wants the body."""
    request.max_content_length = MAX_EVENT_BYTES if request.endpoint == "events" else MAX_BODY_BYTES
    if (request.content_length or 0) > request.max_content_length:
        raise RequestEntityTooLarge


def _refused(error: HTTPException) -> Response:
    return _answer(error.code or 500, error=error.name.lower().replace(" ", "_"))


def _answer(status: int, **fields: object) -> Response:
    body = json.dumps(fields, separators=(",", ":"))
    return Response(body, status=status, mimetype="application/json")
