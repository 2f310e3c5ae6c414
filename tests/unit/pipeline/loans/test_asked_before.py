from __future__ import annotations

import hashlib

from shared.pipeline.loans import asked_before
from shared.pipeline.loans.asked_before import AskedBefore


def digest(text: object) -> bytes:
    return hashlib.sha256(str(text).encode()).digest()


def test_a_question_is_found_with_its_shard_and_its_place_also_behind_shards_that_ask_nothing() -> None:
    asked = AskedBefore()
    asked.add_shard({digest("a"): 0, digest("b"): 1}, 2)
    asked.add_shard({}, 0)
    asked.add_shard({digest("c"): 0}, 1)

    found = asked.find_all(map(digest, "abcd"))

    assert found == {digest("a"): (1, 0), digest("b"): (1, 1), digest("c"): (3, 0)}
    assert asked.find(digest("d")) is None


def test_of_questions_that_differ_in_one_of_128_bits_only_the_right_one_is_found() -> None:
    right = digest("a")
    asked = AskedBefore()
    asked.add_shard({right: 0}, 1)

    for bit in (*range(104), *range(111, 128)):
        other = (int.from_bytes(right[:16], "big") ^ 1 << bit).to_bytes(16, "big") + right[16:]
        assert asked.find(other) is None


def test_the_oldest_are_forgotten_and_never_taken_for_others() -> None:
    asked = AskedBefore()
    same_bucket = [bytes(3) + digest(number)[3:] for number in range(20)]
    asked.add_shard({each: place for place, each in enumerate(same_bucket)}, len(same_bucket))

    found = asked.find_all(same_bucket)

    assert found == {each: (1, place) for place, each in enumerate(same_bucket) if place >= 12}


def test_after_so_many_loans_questions_are_sent_again_rather_than_kept_in_memory() -> None:
    asked = AskedBefore()
    asked.add_shard({digest("a"): 0}, 1)
    asked.lend(2, {(1, place) for place in range(3)})
    assert asked.find(digest("a")) == (1, 0)

    asked._loans = asked_before.MOST_LOANS

    assert asked.find(digest("a")) is None
    assert [(lender, {**borrowers}) for lender, borrowers in asked.borrowers()] == [
        (1, {2: asked_before.array("I", [0, 1, 2])})
    ]
