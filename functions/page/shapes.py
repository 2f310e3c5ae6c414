"""The API's JSON: what requests hold, and how the page's facts are written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from shared.board.model import SpentMoney
from shared.bucket.tickets import WaitingFor
from shared.links.folders import path_in
from shared.money.amounts import money_text
from shared.pipeline.page.files.file_job import FileJob, open_job
from shared.pipeline.page.files.list_files import Listed
from shared.pipeline.page.files.look_at_file import OpenJobs
from shared.pipeline.page.job_details import Awaiting, JobDetails
from shared.problems.problem import Problem
from shared.problems.render import render_problem


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Upload(_Body):
    """``size`` is in bytes."""

    name: str
    size: Annotated[int, Field(ge=1)]


class OneFile(_Body):
    """By its place in the folder, and as the job that was seen."""

    path: str
    job_id: str | None = None


class SeenQuote(_Body):
    """The quote of that number, of the job that was seen."""

    path: str
    job_id: str
    digest: str


class RecipeText(_Body):
    """As it is to be saved, in place of the version that was seen."""

    text: str
    etag: str | None = None


class RecipeOverRows(_Body):
    """A recipe as it is being written, and the first rows of a table; no columns without one."""

    text: str
    columns: Annotated[list[str], Field(max_length=16_384)]
    rows: Annotated[list[list[str]], Field(max_length=5)]


def to_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, BaseModel):
        return value.model_dump()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)


def problem_json(problem: Problem) -> dict[str, object]:
    return {
        "line": problem.line,
        "where": problem.field or "",
        "zh": render_problem(problem, "zh"),
        "en": render_problem(problem, "en"),
        "code": problem.code,
    }


def problems_json(problems: Iterable[Problem]) -> list[dict[str, object]]:
    return [problem_json(problem) for problem in problems]


def listed_json(listed: Listed, folder: str) -> dict[str, object]:
    jobs = [job_json(job, folder) for job in listed.jobs]
    money = [*map(_money_json, listed.money)]
    of_list: dict[str, object] = {"total": listed.total, "more": listed.more, "jobs": jobs, "money": money}
    of_list["to_approve"] = [job_json(job, folder) for job in listed.to_approve]
    of_list["refused"] = [
        {"path": path_in(folder, each.key) or each.key, "zh": each.zh, "en": each.en}
        for each in listed.refused
    ]
    return {"board_at": listed.board_at, **of_list}


def details_json(details: JobDetails, folder: str) -> dict[str, object]:
    refusal, rows = details.refusal, details.first_results
    return {
        **job_json(details.job, folder),
        "refusal": asdict(refusal) | {"report": _name(refusal.report)} if refusal else None,
        "first_results": asdict(rows) if rows else None,
        "quote": details.quote._asdict() if details.quote else None,
        "sample": [line._asdict() for line in details.sample],
        "lines": [line._asdict() for line in details.lines],
        "approval": _approval_json(details.approval) if details.approval else None,
    }


def operator_json(
    jobs: OpenJobs, untold: Iterable[Problem], folder: str, dead_letter_queue: str | None
) -> dict[str, object]:
    """What concerns the whole installation. What only the local cloud knows stands elsewhere."""
    board = jobs.board
    waiting = [open_job(job, None) for job in jobs.jobs if job.waiting_for]
    return {
        "waiting": [job_json(job, folder) for job in waiting],
        "untold": problems_json(untold),
        "repairs_24h": board.repairs_24h if board else {},
        "dead_letter_queue": dead_letter_queue,
    }


def job_json(job: FileJob, folder: str) -> dict[str, Any]:
    """Every field of ``FileJob``, with its place in the folder instead of its key."""
    fields = {name: getattr(job, name) for name in FileJob.__dataclass_fields__ if name != "key"}
    return {
        "path": path_in(folder, job.key) or job.key,
        **fields,
        "waiting_for": _waiting_json(job.waiting_for) if job.waiting_for else None,
        "result": _name(job.result) if job.result else None,
        "ceiling": _money_json(job.ceiling) if job.ceiling else None,
    }


def _approval_json(awaiting: Awaiting) -> dict[str, object]:
    return {"digest": awaiting.digest, **awaiting.why._asdict()}


def _money_json(money: SpentMoney) -> dict[str, str]:
    """As people write it; ``folder`` is empty for all files."""
    amounts = {name: money_text(getattr(money, name)) for name in ("at_most", "spent", "reserved")}
    return {"folder": money.folder, **amounts, "free": money_text(money.free, is_gain=True)}


def _waiting_json(waiting_for: WaitingFor) -> dict[str, object]:
    """Its message has both languages, Chinese first, on a line each."""
    zh, _, en = waiting_for.message.partition("\n")
    return {"code": waiting_for.code, "zh": zh, "en": en or zh, "since": waiting_for.since}


def _name(key: str) -> str:
    return key.rpartition("/")[2]
