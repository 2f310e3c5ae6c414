"""Recognises one JSON document, or several, where each line should be a request of its own."""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

from shared.problems.problem import Bilingual, Problem

_UTF16 = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# What may follow the bracket; a log begins with ``[INFO]``.
_ARRAY = re.compile(r'\[\s*(?:["{\[\]]|\Z)')

_LIST = Bilingual("所有请求写在一个数组里", "all requests stand in one list")
_COMMAS = Bilingual("行末有逗号", "its lines end with commas")
_MANY_LINES = Bilingual("一个请求分写在多行", "one request takes several lines")


def find_document(head: bytes) -> Problem | None:
    """What is wrong with a file that begins so, if it holds JSON, but not a request a line."""
    form = _form_of(_text(head))
    return Problem("json_document", values={"form": form}) if form else None


def _text(head: bytes) -> str:
    for bom, encoding in _UTF16:
        if head.startswith(bom):
            return head.removeprefix(bom).decode(encoding, "replace")
    return head.decode("utf-8-sig", "replace")


def _form_of(text: str) -> Bilingual | None:
    # Within a line, a carriage return is a fault of it: it ends lines only where nothing else does.
    ends = "\n" if "\n" in text else "\r"
    lines = [line for line in text.split(ends) if line.strip()][:2]
    if not lines:
        return None
    first, second = lines[0].strip(), lines[-1].strip()
    is_alone = len(lines) == 1
    if _ARRAY.match(first):
        return _LIST if _is_unfinished(first) or (is_alone and _is_json(first)) else None
    if not first.startswith("{"):
        return None
    if _is_json(first):
        return _LIST if is_alone and _holds_requests(json.loads(first)) else None
    if first.endswith(",") and _is_json(first[:-1]):
        return _COMMAS
    return _MANY_LINES if _is_unfinished(first) and not is_alone and not _is_json(second) else None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_unfinished(line: str) -> bool:
    """Whether nothing is wrong with the line but that it ends too early."""
    try:
        json.loads(line)
    except json.JSONDecodeError as error:
        return error.pos >= len(line) - 1 or error.msg.startswith("Unterminated string")
    except (ValueError, RecursionError):
        pass
    return False


def _holds_requests(value: Any) -> bool:
    """Whether an object that is no request has a list of them, as in ``{"requests": […]}``."""
    if not isinstance(value, dict) or "custom_id" in value:
        return False
    lists = (each for each in value.values() if isinstance(each, list))
    return any(isinstance(one, dict) and "custom_id" in one for each in lists for one in each[:1])
