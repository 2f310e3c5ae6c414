from __future__ import annotations

from scripts.localcloud.answers.answering import _Rows
from scripts.localcloud.answers.built_in_answers import Request


def test_a_row_that_is_asked_again_and_again_lets_a_new_one_pass_each_time() -> None:
    first, *others = (Request(name, "/v1/chat/completions", {}) for name in "abcd")
    rows = _Rows(first, iter(others), most_waiting=8)

    asked = []
    for _ in range(7):
        row = rows.next()
        assert row
        asked.append(row.request.custom_id)
        if row.request == first:
            rows.waiting.append(row)

    assert "".join(asked) == "aabacad"
