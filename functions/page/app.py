"""The page for people who drop files, and its API.

Who has a link sees and does what it opens. A request that says it comes from the page does so: its
header makes a browser ask first for a page of any other origin, and the answer is no.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from flask import Flask, Response, request

from functions.page.answers import error_json, http_refused, json_answer, refused
from functions.page.guard import PAGE_HEADER, PAGE_VALUE, guard, security_headers
from functions.page.shapes import problems_json
from functions.page.static_files import send_static
from functions.page.views import View, views_of
from shared.pipeline.page.gate import PageRefusal
from shared.problems.exceptions import TransientError, UserInputError
from shared.problems.problem import Problem
from shared.runtime.http_trigger import context_of
from shared.runtime.wiring.page import PageDoor

log = logging.getLogger(__name__)


def create_app(door: PageDoor) -> Flask:
    """Build the application."""
    app = Flask(__name__, static_folder=None)
    # The handler logs errors. Flask's own line would hold the path, and with it a file's name.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # no other origin is told that it may ask
    app.url_map.merge_slashes = False
    guard(app, security_headers(door.bucket_origin), http_refused)
    app.add_url_rule("/", "index", lambda: send_static("index.html"), methods=["GET"])
    app.add_url_rule("/static/<path:name>", "static_file", send_static, methods=["GET"])
    for method, path, endpoint, view in views_of(door):
        app.add_url_rule(f"/api/{path}", endpoint, _answered(door, view), methods=[method])
    return app


def _answered(door: PageDoor, view: View) -> Callable[[], Response]:
    """The view behind the gate; what it refuses or finds wrong is an answer, too."""

    def answered() -> Response:
        visit = None
        try:
            if request.headers.get(PAGE_HEADER) != PAGE_VALUE:
                raise PageRefusal(Problem("not_from_page"))  # noqa: TRY301 - one place answers
            context = context_of(request.environ)
            visit = door.let_in(context, request.headers.get("Authorization", ""))
            response = json_answer(200, view(visit, door.open_folder(context, visit)))
        except PageRefusal as refusal:
            response = refused(refusal)
        except UserInputError as error:
            response = json_answer(
                400, error_json(Problem("recipe_wrong")) | {"problems": problems_json(error.problems)}
            )
        except TransientError as error:
            log.warning("page.unavailable", extra={"reason": type(error).__name__})
            response = json_answer(503, error_json(Problem("not_reached")))
        asked = {"endpoint": request.endpoint, "status": response.status_code}
        log.info("page.asked", extra={**asked, "link": visit.link_id if visit else None})
        return response

    return answered
