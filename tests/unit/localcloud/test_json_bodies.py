"""Bodies that are no object, or one that nothing here could hold."""

from __future__ import annotations

import pytest

from scripts.localcloud.servers.json_bodies import json_object_in


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"a"', b"[" * 100_000, b'{"a": "\\ud800"}', b'{"\\udc00": 1}', b"\xff"],
)
def test_what_is_no_object_or_cannot_be_written_is_none(body: bytes) -> None:
    assert json_object_in(body) is None


def test_an_object_is_itself() -> None:
    assert json_object_in(b'{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}
