"""The two files of a job: lines while it runs, objects in its folder at its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scripts.localcloud.actions.objects import Objects
from scripts.localcloud.answers.built_in_answers import Answer
from scripts.localcloud.answers.result_lines import ERRORS, OUTPUT
from scripts.localcloud.ark.jobs.job import Job, Location
from scripts.localcloud.ark.jobs.job_faults import JobFault
from scripts.localcloud.ark.jobs.job_store import JobStore

# https://www.volcengine.com/docs/82379/1299023
_CODES = {401: "AuthenticationError", 403: "AccessDenied", 404: "NotFound", 429: "ServerOverloaded"}
_INTERNAL = "InternalServiceError"


def in_ark_form(answer: Answer, *, with_headers: bool) -> Answer:
    """An answer stays, but for the headers in its body; all else is an error without a response."""
    response = answer.response
    if response and response["status_code"] == 200:
        headers = {"HttpHeader": {"X-Request-Id": [response["request_id"]]}} if with_headers else {}
        return Answer(response={**response, "body": {**response["body"], **headers}})
    if answer.is_lost:
        return answer
    said = {**(answer.error or _error_in(response)), "type": "Error"}
    return Answer(error=said, in_error_file=True)


def publish(job: Job, fault: JobFault, store: JobStore, objects: Objects, *, is_cut_short: bool) -> Job:
    """Put the job's files into the bucket, unless they never appear; again is no harm."""
    changes: dict[str, object] = {"is_published": True}
    missing = {OUTPUT: fault.missing_results, ERRORS: fault.missing_errors}
    is_left_out = is_cut_short and fault.no_files_after_stop
    for kind, place in _places(job, fault).items():
        file = store.work_path(job.id, kind)
        if not file.exists() or missing[kind] or is_left_out:
            continue
        objects.write(*place.place, file)
        if kind == ERRORS and fault.errors_elsewhere:
            changes["error_file"] = place
    return store.update(job.id, **changes)


def take_back(job: Job, fault: JobFault, store: JobStore, objects: Objects) -> None:
    """Fetch the lines that a resumed job has published, unless it has gone on with them since."""
    for kind, place in _places(job, fault).items():
        file = store.work_path(job.id, kind)
        if not file.exists():
            objects.fetch(*place.place, file)


def _places(job: Job, fault: JobFault) -> Mapping[str, Location]:
    folder = f"{job.output_dir.object_key}{job.id}/"
    errors = f"{folder}output/errors.jsonl" if fault.errors_beside_results else f"{folder}error/errors.jsonl"
    if fault.errors_elsewhere:
        errors = f"{job.output_dir.object_key}errors-of-{job.id}.jsonl"
    keys = {OUTPUT: f"{folder}output/results.jsonl", ERRORS: errors}
    bucket = job.output_dir.bucket_name
    return {kind: Location(bucket_name=bucket, object_key=key) for kind, key in keys.items()}


def _error_in(response: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a reply with another status than 200 says, in Ark's words."""
    status = response["status_code"] if response else 500
    error = (response or {}).get("body", {}).get("error")
    said = error.get("message") if isinstance(error, dict) else error
    code = "InvalidParameter" if 400 <= status < 500 else _INTERNAL
    return {"code": _CODES.get(status, code), "message": str(said or f"HTTP {status}")}
