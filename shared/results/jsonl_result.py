"""A result as JSONL: one object a row, with typed values and no formula guard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from pydantic import JsonValue

from shared.formats.json.cells import escape_line_ends, has_other_escapes
from shared.formats.json.compact import compact_json
from shared.formats.json.policies import LENIENT
from shared.formats.lines import byte_lines
from shared.ports.profile import EMBEDDINGS
from shared.results.columns import Answer, ResultColumns, fit, free_names


class ResultLines:
    """Renders rows as objects, whose keys are the columns of the CSV in the same order.

    The file's own cells are texts. An unknown number is null, a missing text is empty; ``usage`` is
    an object, and the vector of an embedding is an array.
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
        self._at = {name: index for index, name in enumerate(result.names)}
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

    def text(self, text: bytes) -> bytes | None:
        if b"\\" in text and has_other_escapes(text):
            return None
        return escape_line_ends(text.decode(), text)[1:-1]

    def row(self, cells: Sequence[Any], answer: bytes) -> bytes:
        if not self._own_keys:
            return b"{%b" % answer
        return b"%b,%b" % (_object(self._own_keys, fit(cells, len(self._own_keys)))[:-1], answer)

    def encode(self, rows: bytes) -> bytes:
        return rows

    def read_rows(self, part: Iterable[bytes]) -> Iterator[bytes]:
        return (line + b"\n" for line in byte_lines(part))

    def read_answer(self, rendered: bytes) -> list[object]:
        # With every digit, unlike orjson.
        return list(LENIENT.decode("{" + rendered.decode()).values())

    def amended(self, rendered: bytes, values: Mapping[str, str | int]) -> bytes:
        told = self.read_answer(rendered)
        for name in values.keys() & self._at.keys():
            index, value = self._at[name], values[name]
            told[index] = _embedded(str(value)) if index in self._json_at else value
        return _object(self._answer_keys, told)[1:] + b"\n"


def _object(keys: Sequence[str], values: Sequence[object]) -> bytes:
    line = orjson.dumps(dict(zip(keys, map(_json, values), strict=True)))
    return escape_line_ends(line.decode(), line)


def _json(value: object) -> object:
    # orjson writes no integer of more than 64 bits.
    if value is None or isinstance(value, str | bool | orjson.Fragment):
        return value
    return orjson.Fragment(compact_json(value).encode())


def _embedded(text: str) -> object:
    """The value of JSON that is kept as text; what holds a provider's NaN stays text."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return text or None
    # A row must stay on one line. JSON has line ends only between its tokens.
    return orjson.Fragment(text.replace("\n", " ").replace("\r", " "))


def _distinct(columns: Sequence[str]) -> list[str]:
    """The header as keys. An object has each key once, so a repeated name becomes ``name_2``."""
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
