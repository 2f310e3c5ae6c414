"""The quick ways of the local services say what the careful ones say, whatever they are handed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.localcloud.answers.built_in_answers import Answer, Request, built_in_answer, new_id
from scripts.localcloud.answers.result_lines import quick_result_line, result_line
from scripts.localcloud.bailian.batches.validation import validate_input
from scripts.localcloud.servers.json_bodies import quick_json
from shared.ports.profile import CHAT, EMBEDDINGS

ODD_DOCUMENTS = (
    b'{"a": NaN}', b'{"a": -Infinity}', b'{"a": "\\ud800"}', b'{"a": 1, "a": 2}', b'\xef\xbb\xbf{"a": 1}',
    b'{"a": "\xed\xa0\x80"}', b'{"a": 1e400}', b'{"a": 1.0, "b": -0.0, "c": 12345678901234567}', b" [1] \n",
    '{"a": 1}'.encode("utf-16"), b'{"a": "\x7f\\u0000"}', b"[" * 2000 + b"]" * 2000, b'"text"', b"null",
)  # fmt: skip
NO_DOCUMENTS = (b"", b"{", b"{'a': 1}", b'{"a": "\xff"}', b'{"a": 01}', b'{"a": "\n"}', b'{"a": 1,}', b"1 2")


def read(parse: Any, content: bytes) -> str:
    try:
        return repr(parse(content))
    except (ValueError, RecursionError):
        return "no JSON"


@pytest.mark.parametrize("content", [*ODD_DOCUMENTS, *NO_DOCUMENTS])
def test_documents_are_read_alike(content: bytes) -> None:
    assert read(quick_json, content) == read(json.loads, content)


@given(
    custom_id=st.text(st.characters()),
    prompt=st.text(st.characters()),
    url=st.sampled_from([CHAT, EMBEDDINGS]),
)
def test_result_lines_are_the_same(custom_id: str, prompt: str, url: str) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": prompt}], "input": prompt}
    request = Request(custom_id, url, body)
    answer = built_in_answer(request, 1)

    # A row that has no response has an id of its own.
    same_id = answer if answer.response else Answer(response={"request_id": "r"}, error=answer.error)

    assert quick_result_line(custom_id, same_id) == result_line(custom_id, same_id)


def test_ids_are_written_as_uuids_and_none_comes_twice() -> None:
    ids = [new_id() for _ in range(1000)]

    assert len({*ids}) == len(ids)
    assert all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", each)
        for each in ids
    )


GOOD = {"custom_id": "q", "method": "POST", "url": CHAT, "body": {"model": "m", "messages": []}}
WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"custom_id": "q-0"}, "duplicate_custom_id"),
    ({"custom_id": ""}, "missing_required_parameter"),
    ({"custom_id": 7}, "missing_required_parameter"),
    ({"custom_id": "x" * 10_000}, "invalid_custom_id"),
    ({"method": "GET"}, "invalid_method"),
    ({"url": "/v1/none"}, "url_not_found"),
    ({"url": EMBEDDINGS}, "mismatched_url"),
    ({"body": []}, "missing_required_parameter"),
    ({"body": {}}, "missing_required_parameter"),
    ({"body": {"model": "other"}}, "mismatched_model"),
    ({"body": {"model": ["m"]}}, "missing_required_parameter"),
    ({"body": {"model": "m", "enable_thinking": True}}, "mismatched_thinking_mode"),
    ({"body": {"model": "m", "enable_thinking": 1}}, "invalid_value"),
)


@pytest.mark.parametrize(("fields", "code"), WRONG)
@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_line_that_is_like_the_others_but_for_one_field_is_found(
    tmp_path: Path, fields: dict[str, Any], code: str, place: int
) -> None:
    """Whatever line comes first sets what the others are compared with."""
    lines: list[dict[str, Any]] = [GOOD | {"custom_id": f"q-{number}"} for number in range(3)]
    lines.insert(place, GOOD | {"custom_id": "odd"} | fields)
    file = tmp_path / "input.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    findings = validate_input(file, CHAT).findings

    assert code in {finding.code for finding in findings}
    assert validate_input(file, CHAT).total == 4
