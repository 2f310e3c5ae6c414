from __future__ import annotations

import pytest

from scripts.localcloud.answers.answering import Answering, _Rows
from scripts.localcloud.answers.built_in_answers import Request
from scripts.localcloud.answers.row_run import CutShort
from shared.runtime.system_clock import SystemClock


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


def test_a_batch_that_is_cancelled_does_not_wait_for_its_turn() -> None:
    answering = Answering(None, 2, SystemClock())

    def cancelled() -> None:
        raise CutShort("cancelled")

    with answering.turn(cancelled), pytest.raises(CutShort), answering.turn(cancelled):
        pass
    with answering.turn(cancelled):
        pass  # whoever gave up waiting holds up nobody
