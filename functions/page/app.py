"""The page for people who drop files, and its API.

Who has a link sees and does what it opens. A request that says it comes from the page does so: its
header makes a browser ask first for a page of any other origin, and the answer is no.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from flask import Flask, Response, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException

from functions.page.guard import PAGE_HEADER, PAGE_VALUE, guard, security_headers
from functions.page.shapes import (
    OneFile,
    RecipeOverRows,
    RecipeText,
    SeenQuote,
    Upload,
    details_json,
    listed_json,
    operator_json,
    problems_json,
    to_json,
)
from functions.page.static_files import send_static
from shared.bucket.keys import INBOX
from shared.pipeline.page.first_rows import first_rows
from shared.pipeline.page.folder_page import MAX_UPLOAD_BYTES, FolderPage
from shared.pipeline.page.gate import NotLetIn, PageRefusal, Visit
from shared.pipeline.words.untold import untold_problems
from shared.problems.exceptions import TransientError, UserInputError
from shared.problems.problem import Problem
from shared.problems.render import render_problem
from shared.runtime.http_trigger import context_of
from shared.runtime.wiring.page import PageDoor

log = logging.getLogger(__name__)

_MAX_LISTED = 100
_STATUS = {
    "page_closed": 403,
    "operator_only": 403,
    "not_from_page": 403,
    "no_such_file": 404,
    "no_such_address": 404,
    "nothing_to_download": 404,
    "name_not_taken": 400,
    "bad_request": 400,
    "recipe_wrong": 400,
    "request_too_large": 413,
    "upload_too_large": 413,
    "too_many_previews": 429,
}
_OF_HTTP = {404: "no_such_address", 405: "no_such_address", 413: "request_too_large"}
AnyBody = TypeVar("AnyBody", bound=BaseModel)


View = Callable[[Visit, FolderPage], object]


def create_app(door: PageDoor) -> Flask:
    """Build the application."""
    app = Flask(__name__, static_folder=None)
    # The handler logs errors. Flask's own line would hold the path, and with it a file's name.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # no other origin is told that it may ask
    app.url_map.merge_slashes = False
    guard(app, security_headers(door.bucket_origin), _http_refused)
    app.add_url_rule("/", "index", lambda: send_static("index.html"), methods=["GET"])
    app.add_url_rule("/static/<path:name>", "static_file", send_static, methods=["GET"])
    for method, path, endpoint, view in _views(door):
        app.add_url_rule(f"/api/{path}", endpoint, _answered(door, view), methods=[method])
    return app


def _views(door: PageDoor) -> list[tuple[str, str, str, View]]:
    def session(visit: Visit, _: FolderPage) -> object:
        return {
            "folder": visit.folder,
            "operator": visit.is_operator,
            "expires_at": visit.expires_at,
            "languages": ["zh", "en"],
            "upload": {"max_bytes": MAX_UPLOAD_BYTES},
            "preview": bool(door.try_recipe.real_times),
            "is_local": door.is_local,
            "answered_by": door.answered_by,
        }

    def try_recipe(visit: Visit, _: FolderPage) -> object:
        asked = _body(RecipeOverRows)
        door.allowance.take(visit.link_id)
        return door.try_recipe(asked.text, asked.columns, asked.rows)

    def operator(visit: Visit, page: FolderPage) -> object:
        if not visit.is_operator:
            raise PageRefusal(Problem("operator_only"))
        jobs = page.open_jobs()
        untold = untold_problems(page.store, page.clock, jobs.board.untold_by if jobs.board else {})
        return operator_json(jobs, untold, visit.folder, door.dead_letter_queue)

    return [
        ("GET", "session", "session", session),
        ("GET", "jobs", "jobs", _jobs),
        ("GET", "job", "job", _job),
        ("GET", "download", "download", _download),
        ("POST", "uploads", "uploads", _uploads),
        ("POST", "table", "table", _table),
        ("GET", "recipe", "recipe", _recipe),
        ("PUT", "recipe", "save_recipe", _save_recipe),
        ("POST", "recipe/check", "check", _check),
        ("POST", "preview", "preview", try_recipe),
        ("POST", "approve", "approve", _approve),
        ("POST", "cancel", "cancel", _cancel),
        ("POST", "retry", "retry", _retry),
        ("GET", "operator", "operator", operator),
    ]


def _answered(door: PageDoor, view: View) -> Callable[[], Response]:
    """The view behind the gate; what it refuses or finds wrong is an answer, too."""

    def answered() -> Response:
        visit = None
        try:
            if request.headers.get(PAGE_HEADER) != PAGE_VALUE:
                raise PageRefusal(Problem("not_from_page"))  # noqa: TRY301 - one place answers
            context = context_of(request.environ)
            visit = door.let_in(context, request.headers.get("Authorization", ""))
            response = _json(200, view(visit, door.open_folder(context, visit)))
        except PageRefusal as refusal:
            response = _refused(refusal)
        except UserInputError as error:
            response = _json(
                400, _error(Problem("recipe_wrong")) | {"problems": problems_json(error.problems)}
            )
        except TransientError as error:
            log.warning("page.unavailable", extra={"reason": type(error).__name__})
            response = _json(503, _error(Problem("not_reached")))
        asked = {"endpoint": request.endpoint, "status": response.status_code}
        log.info("page.asked", extra={**asked, "link": visit.link_id if visit else None})
        return response

    return answered


def _jobs(visit: Visit, page: FolderPage) -> object:
    offset, limit = _number("offset", 0), _number("limit", _MAX_LISTED)
    return listed_json(page.jobs(offset, min(limit, _MAX_LISTED)), visit.folder)


def _job(visit: Visit, page: FolderPage) -> object:
    return details_json(page.job(_path()), visit.folder)


def _download(_: Visit, page: FolderPage) -> object:
    return {"url": page.download_url(_path())}


def _uploads(_: Visit, page: FolderPage) -> object:
    asked = _body(Upload)
    return page.upload_form(asked.name, asked.size)


def _table(_: Visit, __: FolderPage) -> object:
    try:
        return first_rows(request.args.get("name", ""), request.get_data())
    except UserInputError as error:
        return {"problems": problems_json(error.problems)}


def _recipe(_: Visit, page: FolderPage) -> object:
    found = page.recipe()
    if found is None:
        return {"text": "", "path": None, "etag": ""}
    text = found.content.decode(errors="replace")
    return {"text": text, "path": found.key.removeprefix(INBOX), "etag": found.etag}


def _save_recipe(_: Visit, page: FolderPage) -> object:
    asked = _body(RecipeText)
    return {"path": page.save_recipe(asked.text, asked.etag).removeprefix(INBOX)}


def _check(_: Visit, page: FolderPage) -> object:
    asked = _body(RecipeOverRows)
    if not asked.columns:
        return {"problems": problems_json(page.check_recipe.alone(asked.text)), "prompt": None}
    checked = page.check_recipe(asked.text, asked.columns, asked.rows)
    return {"problems": problems_json(checked.problems), "prompt": checked.first_prompt}


def _approve(_: Visit, page: FolderPage) -> object:
    asked = _body(SeenQuote)
    return {"job_id": page.approve(asked.path, asked.job_id, asked.digest), "said": "approved"}


def _cancel(_: Visit, page: FolderPage) -> object:
    asked = _body(OneFile)
    return {"job_id": page.cancel(asked.path, asked.job_id), "said": "cancelled"}


def _retry(_: Visit, page: FolderPage) -> object:
    asked = _body(OneFile)
    retried = page.retry(asked.path, asked.job_id)
    said = "waits" if retried.plan.approval else "started"
    return {"job_id": retried.plan.job_id, "said": said, "rows": retried.rows}


def _body(model: type[AnyBody]) -> AnyBody:
    try:
        return model.model_validate_json(request.get_data())
    except ValidationError as error:
        raise PageRefusal(Problem("bad_request")) from error


def _path() -> str:
    return request.args.get("path", "")


def _number(name: str, default: int) -> int:
    text = request.args.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise PageRefusal(Problem("bad_request"))
    return int(text)


def _refused(refusal: PageRefusal) -> Response:
    status = 401 if isinstance(refusal, NotLetIn) else 409
    return _json(_STATUS.get(refusal.problem.code, status), _error(refusal.problem))


def _http_refused(error: HTTPException) -> Response:
    problem = Problem(_OF_HTTP.get(error.code or 500, "bad_request"))
    return _json(error.code or 500, _error(problem))


def _error(problem: Problem) -> dict[str, object]:
    return {
        "error": problem.code,
        "zh": render_problem(problem, "zh"),
        "en": render_problem(problem, "en"),
    }


def _json(status: int, value: object) -> Response:
    return Response(to_json(value), status=status, mimetype="application/json")
