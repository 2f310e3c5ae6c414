"""The page's own files, which are the same for everybody and are shown without a link."""

from __future__ import annotations

from pathlib import Path

from flask import Response, send_from_directory
from werkzeug.exceptions import NotFound

_FOLDER = Path(__file__).with_name("static")
# The types are said here, because what a system knows of endings differs.
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


def send_static(name: str) -> Response:
    """A file of the page; browsers ask each time whether it has changed."""
    kind = _TYPES.get(Path(name).suffix)
    if kind is None:
        raise NotFound
    response = send_from_directory(_FOLDER, name, mimetype=kind, max_age=0)
    # At a function's default address a second one is added, and browsers show no page with two.
    response.headers.pop("Content-Disposition", None)
    return response
