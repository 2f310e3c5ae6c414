"""The checks of ``POST /batches`` itself; the lines are checked later, at validation."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from scripts.localcloud.bailian.api.refusals import ApiError
from scripts.localcloud.bailian.database import Database
from scripts.localcloud.bailian.files_and_batches import Batch, new_batch_id
from scripts.localcloud.bailian.limits import AccountLimits
from scripts.localcloud.bailian.times import window_of
from shared.ports.clock import Clock
from shared.providers.bailian.profile import BAILIAN, TEST_ENDPOINT

_MAX_CHARS = {"ds_name": 100, "ds_description": 200}


class Creation(BaseModel):
    """The body of ``POST /batches``."""

    model_config = ConfigDict(strict=True, extra="forbid")

    input_file_id: str
    endpoint: str
    completion_window: str
    metadata: dict[str, str] | None = None


def checked_creation(body: object) -> Creation:
    """What ``body`` asks for.

    Raises:
        ApiError: The service refuses it at once.
    """
    creation = _parsed(body)
    _check_fields(creation)
    return creation


def new_batch(creation: Creation, database: Database, limits: AccountLimits, clock: Clock) -> Batch:
    """The batch, if the account's quota has room for it.

    Raises:
        ApiError: It has none.
    """
    _check_quota(creation.endpoint, database, limits)
    return Batch(
        id=new_batch_id(),
        endpoint=creation.endpoint,
        input_file_id=creation.input_file_id,
        completion_window=creation.completion_window,
        created_at=int(clock.now().timestamp()),
        metadata=creation.metadata,
    )


def _parsed(body: object) -> Creation:
    try:
        return Creation.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        param = ".".join(str(step) for step in first["loc"])
        raise ApiError(400, f"'{param}': {first['msg']}", param=param) from None


def _check_fields(creation: Creation) -> None:
    if creation.endpoint not in BAILIAN.rules.urls:
        message = f"The provided endpoint '{creation.endpoint}' is not supported by the Batch API."
        raise ApiError(400, message, param="endpoint")
    try:
        window_of(creation.completion_window)
    except ValueError:
        message = "'completion_window' must be between 24h and 336h, in hours (h) or days (d)"
        raise ApiError(400, message, param="completion_window") from None
    for name, max_chars in _MAX_CHARS.items():
        if len((creation.metadata or {}).get(name, "")) > max_chars:
            raise ApiError(400, f"'{name}' is longer than {max_chars} characters", param=f"metadata.{name}")


def uploaded(file_id: str, database: Database) -> Path:
    """Where the content of an uploaded file lies."""
    stored = database.file(file_id)
    if stored is None or stored.purpose != "batch":
        raise ApiError(400, f"No such File object: {file_id}", param="input_file_id")
    return database.path_of(file_id)


def _check_quota(endpoint: str, database: Database, limits: AccountLimits) -> None:
    is_full = len(database.unfinished()) >= limits.max_unfinished
    if endpoint == TEST_ENDPOINT:
        is_full = is_full or len(database.unfinished(endpoint)) >= limits.max_unfinished_test
    if is_full:
        message = "Too many unfinished batches. Wait until one of them has ended."
        raise ApiError(429, message, code="limit_requests", kind="rate_limit_error")
