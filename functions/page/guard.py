"""What holds for every request and every answer of the page, whatever it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from shared.pipeline.page.first_rows import MAX_BINARY_BYTES
from shared.recipes.recipe_text import MAX_RECIPE_BYTES

# No page of another origin can set it without asking first, which is never granted. So a request
# that has it was sent by our own page, also where no link is needed.
PAGE_HEADER, PAGE_VALUE = "X-Batchdrop", "page"

_SMALL_BYTES = 64 * 1024
# In JSON, a character may take six bytes.
_RECIPE_BYTES = 6 * MAX_RECIPE_BYTES + _SMALL_BYTES
_ROWS_BYTES = 1024 * 1024
_MAX_BODY_BYTES: Mapping[str | None, int] = {
    "table": MAX_BINARY_BYTES,
    "save_recipe": _RECIPE_BYTES,
    "check": _RECIPE_BYTES + _ROWS_BYTES,
    "preview": _RECIPE_BYTES + _ROWS_BYTES,
}
# The trigger's event holds the body, perhaps as base64, and the headers.
MAX_TRIGGER_EVENT_BYTES = 2 * MAX_BINARY_BYTES


def security_headers(bucket_origin: str) -> dict[str, str]:
    """For every answer; ``bucket_origin`` is where the page uploads to."""
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": f"'self' {bucket_origin}".rstrip(),
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Referrer-Policy": "no-referrer",
        "Strict-Transport-Security": "max-age=31536000",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }


def guard(app: Flask, headers: Mapping[str, str], refused: Callable[[HTTPException], Response]) -> None:
    """Bound every request before it is read, and put the headers on every answer."""

    def bound() -> None:
        request.max_content_length = _MAX_BODY_BYTES.get(request.endpoint, _SMALL_BYTES)
        if (request.content_length or 0) > request.max_content_length:
            raise RequestEntityTooLarge

    def with_headers(response: Response) -> Response:
        response.headers.update(headers)
        if request.endpoint != "static_file":
            response.headers["Cache-Control"] = "no-store"
        return response

    app.before_request(bound)
    app.after_request(with_headers)
    app.register_error_handler(HTTPException, refused)
