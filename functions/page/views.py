"""What each address of the API does, for whom the gate has let in."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from flask import request
from pydantic import BaseModel, ValidationError

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
)
from shared.bucket.keys import INBOX
from shared.pipeline.page.first_rows import first_rows
from shared.pipeline.page.folder_page import MAX_UPLOAD_BYTES, FolderPage
from shared.pipeline.page.gate import PageRefusal, Visit
from shared.pipeline.words.untold import untold_problems
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem
from shared.runtime.wiring.page import PageDoor

_MAX_LISTED = 100
AnyBody = TypeVar("AnyBody", bound=BaseModel)
View = Callable[[Visit, FolderPage], object]


def views_of(door: PageDoor) -> list[tuple[str, str, str, View]]:
    """Each with its method, its path below ``/api/`` and its name in the log."""
    return [
        ("GET", "session", "session", partial(_session, door)),
        ("GET", "jobs", "jobs", _jobs),
        ("GET", "job", "job", _job),
        ("GET", "download", "download", _download),
        ("POST", "uploads", "uploads", _uploads),
        ("POST", "table", "table", _table),
        ("GET", "recipe", "recipe", _recipe),
        ("PUT", "recipe", "save_recipe", _save_recipe),
        ("POST", "recipe/check", "check", _check),
        ("POST", "preview", "preview", partial(_preview, door)),
        ("POST", "approve", "approve", _approve),
        ("POST", "cancel", "cancel", _cancel),
        ("POST", "retry", "retry", _retry),
        ("GET", "operator", "operator", partial(_operator, door)),
    ]


def _session(door: PageDoor, visit: Visit, _: FolderPage) -> object:
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


def _preview(door: PageDoor, visit: Visit, _: FolderPage) -> object:
    asked = _body(RecipeOverRows)
    door.allowance.take(visit.link_id)
    return door.try_recipe(asked.text, asked.columns, asked.rows)


def _operator(door: PageDoor, visit: Visit, page: FolderPage) -> object:
    if not visit.is_operator:
        raise PageRefusal(Problem("operator_only"))
    jobs = page.open_jobs()
    untold = untold_problems(page.store, page.clock, jobs.board.untold_by if jobs.board else {})
    return operator_json(jobs, untold, visit.folder, door.dead_letter_queue)


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
