"""The HTTP endpoint that the provider calls when a batch ends.

What a request says is a hint; who sent it is checked.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from shared.events.check_event import CheckEvent
from shared.events.signed_events import SignedEvent, possible_urls
from shared.pipeline.hear import HearCallback, HearMessage
from shared.runtime.context import FcContext
from shared.runtime.http_trigger import context_of

log = logging.getLogger(__name__)

# Bailian documents no body, and we read none. EventBridge's events have at most 256 KB
# (https://www.alibabacloud.com/help/en/eventbridge/product-overview/limits), before their envelope.
MAX_BODY_BYTES = 64 * 1024
MAX_EVENT_BYTES = 512 * 1024
# In the words that one provider waits for, or it calls again; no other reads them
# (https://cloud.tencent.com/document/product/851/84292).
_HEARD = {"code": 0, "message": "success"}
# The trigger's event holds the body, perhaps as base64, and the headers.
MAX_TRIGGER_EVENT_BYTES = 2 * MAX_EVENT_BYTES


def create_app(
    hear_callback: Callable[[FcContext], HearCallback],
    hear_message: Callable[[FcContext], HearMessage],
    check_event: CheckEvent | None = None,
) -> Flask:
    """Build the application. It answers every request with a small JSON object.

    Args:
        hear_callback: Makes the use case, with the credentials of the request's invocation.
        hear_message: The same for events.
        check_event: Checks who sent an event; without it there is no address for events.
    """
    app = Flask(__name__, static_folder=None)
    # The handler logs errors. Flask's own line would hold the path, and with it the signature.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # that answer has no JSON body
    app.url_map.merge_slashes = False  # a redirect would repeat the path
    app.before_request(_refuse_what_is_too_large)
    app.register_error_handler(HTTPException, _refused)

    @app.post("/finished/<job>/<attempt_shard>/<signature>")
    def finished(job: str, attempt_shard: str, signature: str) -> Response:
        # Put the ticket before the answer: once it is answered, this is never delivered again.
        hear = hear_callback(context_of(request.environ))
        is_ours = hear(f"{job}/{attempt_shard}", signature)
        return _answer(200, **_HEARD) if is_ours else _answer(404, error="not_found")

    if check_event:
        app.add_url_rule("/events", "events", _events_view(check_event, hear_message), methods=["POST"])
    return app


def _events_view(
    check_event: CheckEvent, hear_message: Callable[[FcContext], HearMessage]
) -> Callable[[], Response]:
    def events() -> Response:
        body = request.get_data()
        target = str(request.environ.get("RAW_URI", request.path))
        headers = {name.lower(): value for name, value in request.headers.items()}
        refusal = check_event(SignedEvent(possible_urls(request.host, target), headers, body))
        if refusal:
            log.warning("event.refused", extra={"reason": refusal})
            return _answer(401, error="not_authorized")
        hear_message(context_of(request.environ))(body)
        return _answer(200, ok=True)

    return events


def _refuse_what_is_too_large() -> None:
    """Runs before anything is read or looked up, also where no view reads the body."""
    request.max_content_length = MAX_EVENT_BYTES if request.endpoint == "events" else MAX_BODY_BYTES
    if (request.content_length or 0) > request.max_content_length:
        raise RequestEntityTooLarge


def _refused(error: HTTPException) -> Response:
    return _answer(error.code or 500, error=error.name.lower().replace(" ", "_"))


def _answer(status: int, **fields: object) -> Response:
    body = json.dumps(fields, separators=(",", ":"))
    return Response(body, status=status, mimetype="application/json")
