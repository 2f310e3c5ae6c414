"""How the service refuses: its two error shapes, as recorded."""

from __future__ import annotations

import uuid

from flask import Response, jsonify


class ApiError(Exception):
    """An answer other than 200; every handler may raise it.

    ``dashscope`` picks the platform's own shape (recorded for 401) instead of OpenAI's.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
        dashscope: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.kind = kind
        self.dashscope = dashscope


def render_error(error: ApiError) -> Response:
    if error.dashscope:
        body: dict[str, object] = {
            "code": error.code,
            "message": error.message,
            "request_id": str(uuid.uuid4()),
        }
    else:
        body = {
            "error": {
                "message": error.message,
                "type": error.kind,
                "param": error.param,
                "code": error.code,
            }
        }
    response = jsonify(body)
    response.status_code = error.status
    return response


def no_such(kind: str, name: str) -> ApiError:
    return ApiError(404, f"No such {kind} object: {name}", param="id")
