"""How TI-ONE refuses: with status 200, by codes that its SDK lists.

Which action raises which is unpublished (``errorcodes`` of tencentcloud-sdk-python-tione 3.0.1152).
"""

from __future__ import annotations

from werkzeug.exceptions import HTTPException

from scripts.localcloud.actions.refusal import Refusal


def refused(code: str, message: str) -> Refusal:
    return Refusal(200, code, message)


def as_refusal(error: HTTPException) -> Refusal:
    """Of what reached no action: another path or method, or a body that ends too early."""
    code = "UnsupportedProtocol" if error.code in {404, 405} else "InvalidRequest"
    return refused(code, error.description or error.name)


def no_action(action: str) -> Refusal:
    return refused("InvalidAction", f"The request action={action} is invalid or not exists.")


def no_such_task(task_id: object) -> Refusal:
    return refused("FailedOperation.RecordNotFound", f"The task {task_id} does not exist.")


def not_started(task_id: str) -> Refusal:
    message = f"The task {task_id} is not submitted yet and cannot be stopped."
    return refused("FailedOperation.UnSubmitNotAllowToStop", message)


def wrong_state(task_id: str, phase: str) -> Refusal:
    return refused("OperationDenied", f"The task {task_id} is {phase}, which does not allow this.")


def no_such_path(place: str) -> Refusal:
    return refused("InvalidParameterValue.CosPathNotExist", f"The COS path {place} does not exist.")


def name_taken(name: str) -> Refusal:
    return refused("FailedOperation.DuplicateName", f"A task of the name {name} exists.")


def invalid(field: str, why: str) -> Refusal:
    return refused("InvalidParameterValue", f"The value of the parameter {field} is not valid: {why}")
