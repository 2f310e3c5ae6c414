"""What the page answers: JSON, and what was refused in both languages."""

from __future__ import annotations

from flask import Response
from werkzeug.exceptions import HTTPException

from functions.page.shapes import to_json
from shared.pipeline.page.gate import NotLetIn, PageRefusal
from shared.problems.problem import Problem
from shared.problems.render import render_problem

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


def refused(refusal: PageRefusal) -> Response:
    status = 401 if isinstance(refusal, NotLetIn) else 409
    return json_answer(_STATUS.get(refusal.problem.code, status), error_json(refusal.problem))


def http_refused(error: HTTPException) -> Response:
    problem = Problem(_OF_HTTP.get(error.code or 500, "bad_request"))
    return json_answer(error.code or 500, error_json(problem))


def error_json(problem: Problem) -> dict[str, object]:
    return {
        "error": problem.code,
        "zh": render_problem(problem, "zh"),
        "en": render_problem(problem, "en"),
    }


def json_answer(status: int, value: object) -> Response:
    return Response(to_json(value), status=status, mimetype="application/json")
