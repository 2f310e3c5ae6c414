"""Reads made-up files the way the validating use case does."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from shared.formats.charsets.decoding import EncodingMismatch
from shared.inputs.formats import file_form_for, row_source_for
from shared.inputs.reading import RowReader
from shared.inputs.rows import InputRow
from shared.problems.problem import Problem
from shared.problems.render import render_problem
from shared.providers.bailian.profile import BAILIAN
from shared.recipes.parse import parse_recipe
from shared.recipes.recipe import Recipe

RECIPE = parse_recipe(
    b"model: qwen-plus\nprompt: '{{ row[\"a\"] }}'\n",
    BAILIAN,
)


def recipe(text: str) -> Recipe:
    return parse_recipe(text.encode(), BAILIAN)


def in_chunks(content: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


@dataclass(frozen=True)
class MadeUpFile:
    """A dropped file that is nowhere but here."""

    chunks: Callable[[], Iterator[bytes]]

    def local_copy(self) -> IO[bytes]:
        return io.BytesIO(b"".join(self.chunks()))


def opened(
    name: str,
    chunks: Callable[[], Iterator[bytes]],
    with_recipe: Recipe | None,
    *,
    model: str = "qwen-plus",
    encoding: str | None = None,
) -> RowReader:
    """The reader of a file of this name."""
    form = file_form_for(name, 1)
    source = row_source_for(form, MadeUpFile(chunks), with_recipe, BAILIAN, model)
    return RowReader(source, form, encoding)


def read_rows(
    name: str,
    content: bytes,
    with_recipe: Recipe | None,
    *,
    model: str = "qwen-plus",
    chunk_bytes: int = 256 * 1024,
) -> tuple[list[InputRow], RowReader]:
    """All rows of a file, started over in another encoding if it must be."""
    encoding = None
    while True:
        reader = opened(
            name, lambda: in_chunks(content, chunk_bytes), with_recipe, model=model, encoding=encoding
        )
        try:
            rows = list(reader.rows())
        except EncodingMismatch as mismatch:
            encoding = mismatch.next_encoding
        else:
            assert_told((*reader.all_problems.first, *reader.facts.warnings))
            return rows, reader


def assert_told(problems: Iterable[Problem]) -> None:
    """Every problem that a test causes has a text, whose placeholders it fills."""
    for problem in problems:
        assert render_problem(problem, "zh")
        assert render_problem(problem, "en")


def read_csv(
    content: bytes, *, with_recipe: Recipe = RECIPE, **options: Any
) -> tuple[list[InputRow], RowReader]:
    return read_rows("a.csv", content, with_recipe, **options)


def read_two_columns(content: bytes, **options: Any) -> tuple[list[InputRow], RowReader]:
    return read_rows("a.csv", content, None, **options)


def read_jsonl(content: bytes, **options: Any) -> tuple[list[InputRow], RowReader]:
    return read_rows("a.jsonl", content, None, **options)


def request_line(**changes: Any) -> dict[str, Any]:
    """One correct request; a change to ``...`` removes the key, ``body`` is merged."""
    body: dict[str, Any] = {"model": "qwen-plus", "messages": [{"role": "user", "content": "你好"}]}
    request: dict[str, Any] = {
        "custom_id": "1",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": body,
    }
    extra = changes.pop("body", {})
    request["body"] = _merged(body, extra) if isinstance(extra, dict) else extra
    return _merged(request, changes)


def jsonl(*requests: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(request, ensure_ascii=False).encode() + b"\n" for request in requests)


def codes(reader: RowReader) -> list[str]:
    return [problem.code for problem in reader.all_problems.first]


def prompt_of(row: InputRow) -> str:
    assert row.request is not None, row.problems
    content = json.loads(row.request)["body"]["messages"][-1]["content"]
    assert isinstance(content, str)
    return content


def _merged(old: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**old, **changes}.items() if value is not ...}
