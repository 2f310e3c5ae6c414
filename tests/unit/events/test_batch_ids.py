from __future__ import annotations

import re

import pytest

from shared.events.batch_ids import find_batch_ids

FORMS = {"one": re.compile(rb"a[0-9]"), "two": re.compile(rb"b[0-9]")}


@pytest.mark.parametrize(
    ("event", "at_most", "found"),
    [
        (b"a1 a2 a3 b1 b2", 4, ["a1", "b1", "a2", "b2"]),
        (b"a1 a2 a3 b1 b2", 3, ["a1", "b1", "a2"]),
        (b"a1 a1 a1 b1 a2 a3", 3, ["a1", "b1", "a2"]),
        (b"b1 b2 b3", 2, ["b1", "b2"]),
        (b"a1 a2 a3 b1", 9, ["a1", "b1", "a2", "a3"]),
        (b"nothing", 9, []),
    ],
)
def test_each_provider_in_turn_gives_an_id_until_there_are_enough(
    event: bytes, at_most: int, found: list[str]
) -> None:
    assert [batch_id for _, batch_id in find_batch_ids(event, FORMS, at_most)] == found


def test_an_id_is_told_with_its_provider() -> None:
    assert find_batch_ids(b"b1", FORMS, 5) == [("two", "b1")]
