from __future__ import annotations

import hashlib

import pytest

from shared.pipeline.loans import asked_before, questions
from shared.pipeline.loans.asked_before import AskedBefore


def digest(text: object) -> bytes:
    return hashlib.sha256(str(text).encode()).digest()


def asked_in(*shards: str) -> AskedBefore:
    """A letter for each question; empty shards begin and end, too."""
    asked = AskedBefore()
    for texts in shards:
        asked.start_shard()
        asked.take([*map(digest, texts)])
    return asked


def test_a_question_is_found_with_its_shard_and_its_place_also_behind_shards_that_ask_nothing() -> None:
    asked = asked_in("ab", "", "c", "")

    found = asked.take([*map(digest, "dabcdd")])

    assert found == [3, 0, 1, 2, 3, 3]
    assert [asked.lender(each) for each in found] == [0, (1, 0), (1, 1), (3, 0), 0, 0]
    assert asked.requests == 4


def test_what_is_lent_is_told_by_shard_in_the_order_of_its_requests() -> None:
    asked = asked_in("ab", "", "cd", "")

    asked.lend(4, [3, 1, 0, 3])

    assert [(lender, {**each}) for lender, each in asked.borrowers()] == [
        (1, {4: asked_before.array("I", [0, 1])}),
        (3, {4: asked_before.array("I", [1])}),
    ]


@pytest.mark.parametrize("buckets", [questions.MOST_BUCKETS, questions._FEWEST_BUCKETS])
def test_the_oldest_are_forgotten_and_never_taken_for_others(
    buckets: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "MOST_BUCKETS", buckets)
    monkeypatch.setattr(questions, "_IN_FILE", 4 * questions._WRITTEN_AT_ONCE)
    asked, count = asked_in(""), 100_000
    digests = [*map(digest, range(count))]

    for start in range(0, count, 1000):
        assert asked.take(digests[start : start + 1000]) == [*range(start, start + 1000)]
    newest, oldest = asked.take(digests[-5000:]), asked.take(digests[:1000])

    asked.close()
    assert newest == [*range(count - 5000, count)]
    assert oldest == [*range(count, count + 1000)]


def test_after_so_many_loans_questions_are_sent_again_once_a_shard(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asked_in("abc", "d")
    assert asked.take([digest("a")]) == [0]
    monkeypatch.setattr(asked_before, "MOST_LOANS", 3)
    asked.lend(2, [0, 1, 2])

    found = asked.take([*map(digest, "adaa")])

    assert found == [4, 3, 4, 4]
