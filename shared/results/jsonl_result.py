"""The result as JSONL: one object a row, each value with its type, nothing guarded and no byte order mark."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

import orjson
from pydantic import JsonValue

from shared.formats.json.cells import escape_line_ends
from shared.ports.profile import EMBEDDINGS
from shared.results.columns import Answer, ResultColumns, fit, free_names


class ResultLines:
    """Renders result rows as objects of the same columns, in the same order, as the CSV has.

    The file's own cells are texts. Numbers that are not known are null, texts that are not there are empty; ``usage``
    is an object, the vector of an embedding an array.
    """

    def __init__(
        self,
        result: ResultColumns,
        columns: Sequence[str],
        endpoint: str,
        answer_names: Sequence[str] = (),
    ) -> None:
        self._values = result.values
        self._own_keys = _distinct(columns) if result.is_table else []
        self._answers = len(answer_names) if result.is_table else 0
        self._answer_keys: Sequence[str] = result.names
        if result.is_table:
            self._answer_keys = free_names(self._own_keys, (*result.names, *answer_names))
        self._json_at = result.json()
        if endpoint == EMBEDDINGS and "content" in result.names:
            self._json_at |= {result.names.index("content")}

    def header(self) -> bytes:
        return b""

    def answer(self, answer: Answer, values: Sequence[JsonValue] = ()) -> bytes:
        shown: list[object] = [*self._values(answer)]
        for index in self._json_at:
            shown[index] = _embedded(str(shown[index]))
        shown += values or [None] * self._answers
        return _object(self._answer_keys, shown)[1:] + b"\n"

    def row(self, cells: Sequence[str], answer: bytes) -> bytes:
        if not self._own_keys:
            return b"{%b" % answer
        return b"%b,%b" % (_object(self._own_keys, fit(cells, len(self._own_keys)))[:-1], answer)

    def encode(self, rows: bytes) -> bytes:
        return rows


def _object(keys: Sequence[str], values: Sequence[object]) -> bytes:
    line = orjson.dumps(dict(zip(keys, map(_json, values), strict=True)))
    return escape_line_ends(line.decode(), line)


def _json(value: object) -> object:
    # orjson writes no integer of more than 64 bits.
    if value is None or isinstance(value, str | bool | orjson.Fragment):
        return value
    return orjson.Fragment(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _embedded(text: str) -> object:
    """JSON that is kept as text, as the value that it is; a provider's NaN stays text."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return text or None
    # Only between its tokens may there be line ends, and a row has to stay on one line.
    return orjson.Fragment(text.replace("\n", " ").replace("\r", " "))


def _distinct(columns: Sequence[str]) -> list[str]:
    """The header as keys: of a repeated name the second is ``name_2``, since an object has each key once."""
    taken = set(columns)
    times: Counter[str] = Counter()
    keys = []
    for name in columns:
        times[name] += 1
        key = name
        while times[name] > 1 and key in taken:
            key = f"{name}_{times[name]}"
            times[name] += key in taken
        taken.add(key)
        keys.append(key)
    return keys
