"""``/files``: upload, list, get, delete, download."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flask import Blueprint, Response, jsonify, request
from werkzeug.datastructures import FileStorage

from scripts.localcloud.bailian.api.queries import after_condition, int_between, time_conditions
from scripts.localcloud.bailian.api.refusals import ApiError, no_such
from scripts.localcloud.bailian.database import Condition, Database
from scripts.localcloud.bailian.files_and_batches import StoredFile, new_file_id
from scripts.localcloud.bailian.limits import AccountLimits
from scripts.localcloud.bailian.times import FILE_FORMATS
from shared.ports.clock import Clock
from shared.providers.bailian.profile import BAILIAN_LIMITS

_CHUNK_BYTES = 256 * 1024


def files_blueprint(database: Database, limits: AccountLimits, clock: Clock) -> Blueprint:
    files = Blueprint("files", __name__)
    _add_upload(files, database, limits, clock)
    _add_list(files, database)
    _add_single(files, database)
    return files


def _add_upload(files: Blueprint, database: Database, limits: AccountLimits, clock: Clock) -> None:
    @files.post("", endpoint="upload")
    def upload() -> Response:
        uploaded = request.files.get("file")
        if uploaded is None:
            raise ApiError(400, "'file' is a required property", param="file")
        content = _content_of(uploaded)
        try:
            _check_upload(database, limits, content.stat().st_size)
            stored = StoredFile(
                id=new_file_id(),
                bytes=content.stat().st_size,
                filename=uploaded.filename or "upload.jsonl",
                purpose="batch",
                created_at=int(clock.now().timestamp()),
            )
            database.add_file(stored, content)
        finally:
            content.unlink(missing_ok=True)
        # Recorded: only the answer to an upload carries this field.
        return jsonify(stored.model_dump() | {"status_details": None})


def _add_list(files: Blueprint, database: Database) -> None:
    @files.get("", endpoint="list")
    def list_files() -> Response:
        limit = int_between("limit", 1, 2000, default=2000)
        conditions = [*after_condition(database, "files"), *time_conditions(FILE_FORMATS)]
        if "purpose" in request.args:
            conditions.append(Condition("purpose = ?", (request.args["purpose"],)))
        found = database.files(conditions, limit + 1)
        shown = [stored.model_dump() for stored in found[:limit]]
        return jsonify({"object": "list", "data": shown, "has_more": len(found) > limit})


def _add_single(files: Blueprint, database: Database) -> None:
    @files.get("/<file_id>", endpoint="retrieve")
    def retrieve(file_id: str) -> Response:
        return jsonify(_stored(database, file_id).model_dump())

    @files.delete("/<file_id>", endpoint="delete")
    def delete(file_id: str) -> Response:
        if not database.delete_file(file_id):
            raise no_such("File", file_id)
        return jsonify({"id": file_id, "object": "file", "deleted": True})

    @files.get("/<file_id>/content", endpoint="content")
    def content(file_id: str) -> Response:
        if _stored(database, file_id).purpose != "batch_output":
            raise ApiError(400, "Only files of purpose 'batch_output' can be downloaded", param="id")
        response = Response(_chunks_of(database.path_of(file_id)), direct_passthrough=True)
        # Recorded: chunked, and no Content-Type at all.
        del response.headers["Content-Type"]
        return response


def _content_of(uploaded: FileStorage) -> Path:
    """Where the streamed upload lies on disk; see ``StreamingRequest``."""
    uploaded.stream.flush()
    return Path(uploaded.stream.name)


def _check_upload(database: Database, limits: AccountLimits, size_bytes: int) -> None:
    if request.form.get("purpose") != "batch":
        raise ApiError(400, "'purpose' must be 'batch'", param="purpose")
    for name in request.form.keys() - {"purpose"}:
        raise ApiError(400, f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)
    if size_bytes > BAILIAN_LIMITS.max_bytes:
        raise ApiError(400, f"File size must not exceed {BAILIAN_LIMITS.max_bytes} bytes.", param="file")
    count, total_bytes = database.file_totals()
    if count >= limits.max_files:
        raise ApiError(400, "Upload file number exceed limit.")
    if total_bytes + size_bytes > limits.max_total_bytes:
        raise ApiError(400, "Upload file capacity exceed limit.")


def _stored(database: Database, file_id: str) -> StoredFile:
    stored = database.file(file_id)
    if stored is None:
        raise no_such("File", file_id)
    return stored


def _chunks_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
