"""Finds what may differ between lines of one form, in the line and in what is rendered of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

import orjson

from shared.results.columns import BODY, CHOICE, MESSAGE, RESPONSE, TAKEN, USAGE, Answer
from shared.results.replies.quick import chat_answer
from shared.results.replies.token_details import CACHED, THINKING

# What reading raises of a line that is none of a plain answer.
ODD = (ValueError, AttributeError, LookupError, TypeError)
Match = Callable[..., re.Match[bytes] | None]
_Place = tuple[str | int | None, ...]
# A token, and the expression for what may stand in its place; an empty one if that never differs.
_Segment = list[tuple[bytes, bytes]]


class FormOfLine(NamedTuple):
    """What differs are values: long texts, and the groups of what stands around these.

    Attributes:
        first: Matches what stands before the first long text, up to and with its quote.
        others: How what stands behind each begins, and what matches all of it, both quotes too.
        template: What is rendered, with ``%b`` for each value that is shown.
        shown: The numbers of these values; all are counted from 0 in the order of the line.
        kept: Those of the id and of the tokens: of the prompt, of the completion, in total.
        thinking: The number of how many tokens were thought, and
        cached: that of how many of the prompt were; ``None`` if these lines do not tell.
        finish_reason: That of all these lines.
        is_thought: All of them tell what the model thought.
    """

    first: Match
    others: Sequence[tuple[bytes, Match]]
    template: bytes
    shown: Sequence[int]
    kept: Sequence[int]
    thinking: int | None
    cached: int | None
    finish_reason: str
    is_thought: bool


def form_of(line: bytes, render: Callable[[Answer], tuple[bytes, str]]) -> FormOfLine | None:
    """The form of a plain answer's line; ``None`` if its values cannot be told from the rest.

    Raises:
        ODD: It is another line.
    """
    orjson.loads(line)
    segments, columns, marked = _taken_apart(line)
    document = orjson.loads(marked)
    # So no object has a key twice, and all marks are ours.
    if _MARK in line or b"".join(marked.split()) != orjson.dumps(document):
        return None
    answer = chat_answer(document)
    if answer is None or not {*_KEPT, "content"} <= {*columns}:
        return None
    rendered, code = render(answer)
    shown = [int(number) for number in _IS_MARK.findall(rendered)]
    if code or len(shown) < 2:
        return None
    template = _IS_MARK.sub(b"%b", rendered.replace(b"%", b"%%"))
    (_, first), *others = map(_matching, segments)
    kept = [columns.index(name) for name in _KEPT]
    thinking, cached = (_first_of(places, columns) for places in (THINKING, CACHED))
    is_thought = bool(answer.reasoning_content)
    return FormOfLine(
        first, others, template, shown, kept, thinking, cached, answer.finish_reason, is_thought
    )


def _first_of(places: Iterable[Sequence[str]], columns: Sequence[str]) -> int | None:
    names = (_usage_name(place) for place in places)
    return next((columns.index(name) for name in names if name in columns), None)


def _usage_name(place: Sequence[object]) -> str:
    """What a number of ``usage`` is called that has no column."""
    return f"usage.{'.'.join(map(str, place))}"


_KEPT = ("custom_id", "prompt_tokens", "completion_tokens", "total_tokens")
# Stands for a value while a form is found; with a letter before it for a text. All formats write it
# as it is.
_MARK = b"987654321000"
_IS_MARK = re.compile(rb"x?%b([0-9]{3})" % _MARK)


def _taken_apart(line: bytes) -> tuple[list[_Segment], list[str], bytes]:
    """What stands around the long texts, the column of each value, and the line with marks."""
    segments: list[_Segment] = [[]]
    columns: list[str] = []
    marked = b""
    for place, token in _tokens(line):
        expression, column = _expression_for(place, token)
        if expression is _LONG_TEXT:
            segments[-1].append((b'"', b""))
            segments.append([(b'"', b"")])
        else:
            segments[-1].append((token, expression))
        if column:
            mark = b"%b%03d" % (_MARK, len(columns))
            marked += mark if expression is _NUMBER else b'"x%b"' % mark
            columns.append(column)
        else:
            marked += token
    return segments, columns, marked


def _matching(segment: _Segment) -> tuple[bytes, Match]:
    beginning = b"".join(token for token, _ in takewhile(lambda each: not each[1], segment))
    pattern = b"".join(expression or re.escape(token) for token, expression in segment)
    return beginning, re.compile(pattern).match


# What may stand in the place of a value. All formats write short texts and numbers as they stand.
_LONG_TEXT = b'".*"'
_SHORT_TEXT = rb'"([0-9A-Za-z][0-9A-Za-z_.:|@-]*)"'
_NUMBER = rb"(0|[1-9][0-9]{0,15})"
_UNSHOWN = rb'"[ !#-\[\]-~]*"'

_IN_RESPONSE: _Place = ("response",)
_IN_BODY: _Place = (*_IN_RESPONSE, "body")
_IN_USAGE: _Place = (*_IN_BODY, "usage")
_IN_CHOICE: _Place = (*_IN_BODY, "choices", 0)
_IN_MESSAGE: _Place = (*_IN_CHOICE, "message")
_IN_PARTS = {
    RESPONSE: _IN_RESPONSE, BODY: _IN_BODY, USAGE: _IN_USAGE, CHOICE: _IN_CHOICE, MESSAGE: _IN_MESSAGE,
}  # fmt: skip
_COLUMNS: dict[_Place, str] = {(*_IN_PARTS[part], key): name for name, (part, key) in TAKEN.items()}
_COLUMNS |= {("custom_id",): "custom_id", (*_IN_MESSAGE, "content"): "content"}
_UNSHOWN_PLACES = frozenset({("id",), (*_IN_BODY, "id"), (*_IN_BODY, "request_id")})


def _expression_for(place: _Place, token: bytes) -> tuple[bytes, str]:
    """What may stand here in other lines, and the column of it; empty if it never differs."""
    column = _COLUMNS.get(place, "")
    if column in {"content", "reasoning_content"}:
        return (_LONG_TEXT, column) if token.startswith(b'"') else (b"", "")
    if column in {"custom_id", "request_id"}:
        return (_SHORT_TEXT, column) if re.fullmatch(_SHORT_TEXT, token) else (b"", "")
    if column == "created" or _IN_USAGE in {place[:-1], place[:-2]}:
        name = column or _usage_name(place[len(_IN_USAGE) :])
        return (_NUMBER, name) if re.fullmatch(_NUMBER, token) else (b"", "")
    is_unshown = place in _UNSHOWN_PLACES and re.fullmatch(_UNSHOWN, token)
    return (_UNSHOWN if is_unshown else b"", "")


_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[^\s"{}\[\],:]+|[{}\[\],:]|\s+')


def _tokens(line: bytes) -> Iterator[tuple[_Place, bytes]]:
    """All of a JSON document; the place of a scalar is not empty."""
    place: list[str | int | None] = []
    for token in _TOKEN.findall(line):
        at = place[-1] if place else None
        is_scalar = False
        if token in b"{[":
            place.append(0 if token == b"[" else None)
        elif token in b"}]":
            place.pop()
        elif token == b",":
            place[-1] = at + 1 if isinstance(at, int) else None
        elif at is None and token[:1] == b'"':
            place[-1] = orjson.loads(token)
        else:
            is_scalar = token != b":" and not token.isspace()
        yield (tuple(place) if is_scalar else ()), token
