"""Looks for secrets in whatever was written, in the forms that programs give to text."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import cache
from html import escape
from urllib.parse import quote, quote_plus


def leaks_in(content: bytes, secrets: Mapping[str, str]) -> list[str]:
    """Which secrets, by name, are in the content, each with the form that it has there."""
    return [
        f"{name} as {form}"
        for name, secret in secrets.items()
        for form, text in forms_of(secret)
        if text in content
    ]


@cache  # looked for in thousands of files
def forms_of(secret: str) -> tuple[tuple[str, bytes], ...]:
    """Every form with its name; those that equal another are left out."""
    escaped = json.dumps(secret)[1:-1]
    forms = {
        "plain text": secret,
        "JSON": escaped,
        "JSON in UTF-8": json.dumps(secret, ensure_ascii=False)[1:-1],
        "JSON in JSON": json.dumps(escaped)[1:-1],
        "Python": repr(secret)[1:-1],
        "XML": escape(secret),
        "URL": quote(secret, safe=""),
        "URL path": quote(secret),
        "form": quote_plus(secret),
        "lower-case URL": _with_lower_case_percents(quote(secret, safe="")),
        "hex": secret.encode().hex(),
    }
    for offset in range(3):
        standard = _base64_inside(secret.encode(), offset)
        forms[f"base64 at {offset}"] = standard
        forms[f"URL-safe base64 at {offset}"] = standard.replace("+", "-").replace("/", "_")
    names = {text: form for form, text in reversed(forms.items())}
    return tuple((form, text.encode()) for text, form in names.items())


def _base64_inside(secret: bytes, offset: int) -> str:
    """What base64 always shows of ``secret``, ``offset`` bytes past a multiple of 3."""
    text = base64.b64encode(b"\0" * offset + secret).decode().rstrip("=")
    known_bits = 8 * (offset + len(secret))
    return text[-(-8 * offset // 6) : known_bits // 6]


def _with_lower_case_percents(url: str) -> str:
    head, *parts = url.split("%")
    return head + "".join(f"%{part[:2].lower()}{part[2:]}" for part in parts)
