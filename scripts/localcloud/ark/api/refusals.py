"""How the service refuses.

Codes and statuses of the job API are mostly unpublished; those that are made up say what is meant.
"""

from __future__ import annotations

from werkzeug.exceptions import HTTPException

from scripts.localcloud.actions.refusal import Refusal


def as_refusal(error: HTTPException) -> Refusal:
    """Of what reached no action: another path or method, or a body that ends too early."""
    status = error.code or 500
    code = "InvalidActionOrVersion" if status in {404, 405} else "InvalidRequest"
    return Refusal(status, code, error.description or error.name)


def invalid(field: str, why: str) -> Refusal:
    return Refusal(400, f"InvalidParameter.{field}", f"The parameter {field} is not valid: {why}")


def missing(field: str) -> Refusal:
    return Refusal(400, f"MissingParameter.{field}", f"The required parameter {field} is missing.")


def no_such_job(job_id: object) -> Refusal:
    return Refusal(404, "NotFound.BatchInferenceJob", f"The batch inference job {job_id} is not found.")


def wrong_state(job_id: str, phase: str) -> Refusal:
    message = f"The batch inference job {job_id} is {phase}, which does not allow this operation."
    return Refusal(400, "OperationDenied.JobPhase", message)


def input_in_use(job_id: str) -> Refusal:
    # That the message holds the id is documented (82379/1339603); code and status are not.
    message = f"The input file is being processed by the active batch inference job {job_id}."
    return Refusal(400, "OperationDenied.DuplicateBatchInferenceJob", message)


def too_many_created(most: int) -> Refusal:
    message = f"The number of batch inference jobs created in 7 days exceeds the quota of {most}."
    return Refusal(429, "QuotaExceeded.BatchInferenceJob", message)


def dry_run_passed() -> Refusal:
    return Refusal(400, "DryRunOperation", "The request is validated by a dryrun operation.")
