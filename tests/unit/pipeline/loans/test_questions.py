from __future__ import annotations

import hashlib
import random
import resource

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.pipeline.loans import questions
from shared.pipeline.loans.questions import Questions


def digest(text: object) -> bytes:
    return hashlib.sha256(str(text).encode()).digest()


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 9))))
def test_each_has_the_number_under_which_it_was_first_asked(blocks: list[list[int]]) -> None:
    asked, first = Questions(), dict[int, int]()

    for block in blocks:
        found = asked.take([*map(digest, block)])

        assert found == [first.setdefault(each, len(first)) for each in block]
    assert asked.count == len(first)


@pytest.mark.parametrize("buckets", [questions.MOST_BUCKETS, questions._FEWEST_BUCKETS])
def test_none_is_forgotten_before_there_are_many(buckets: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "MOST_BUCKETS", buckets)
    most = questions._FULL * questions._FEWEST_BUCKETS
    digests, asked = [*map(digest, range(most))], Questions()

    first = asked.take(digests[: most // 2]) + asked.take(digests[most // 2 :])
    again = asked.take(digests)

    asked.close()
    assert first == again == [*range(most)]


@pytest.mark.parametrize("buckets", [questions.MOST_BUCKETS, questions._FEWEST_BUCKETS])
def test_each_of_many_is_found_though_buckets_are_full(buckets: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "MOST_BUCKETS", buckets)
    digests = [digest(number % 70_000)[:16] for number in range(100_000)]
    known = Questions()

    for start in range(0, 100_000, 25_000):
        known.add(digests[start : start + 25_000])
    asked = random.Random(1).sample(range(140_000), 20_000)
    found = {asked[at]: sorted(each) for at, each in known.find_all([digest(each) for each in asked])}

    same = {each: [at for at in (each, each + 70_000) if at < 100_000] for each in asked if each < 70_000}
    assert found == same
    assert all(sorted(known.find(digest(each))) == same.get(each, []) for each in asked[:2000])
    assert known.digests(4000, 60_000) == b"".join(digests[4000:64_000])
    assert known.digests(99_990, 10) == b"".join(digests[-10:])
    known.close()


def test_of_questions_that_differ_in_one_of_128_bits_only_the_right_one_is_found() -> None:
    known, right = Questions(), digest("a")
    known.add([right])

    for bit in range(128):
        other = (int.from_bytes(right[:16], "big") ^ 1 << bit).to_bytes(16, "big") + right[16:]
        assert known.find(other) == []
    assert known.find(right) == [0]


def test_one_is_never_found_by_what_was_written_over_its_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "_IN_FILE", 2 * questions._WRITTEN_AT_ONCE)
    asked, forgotten = Questions(), digest("a")[:16]
    newer = forgotten[:8] + digest("b")[:8]  # in the same bucket, with the same mark

    asked.take([forgotten])
    asked.take([digest(number)[:16] for number in range(1, questions._IN_FILE)])
    asked.take([newer])  # its digest lies where the forgotten one's did
    asked.take([digest(number)[:16] for number in range(questions._IN_FILE, 2 * questions._IN_FILE)])

    assert asked.take([newer]) == [questions._IN_FILE]
    assert asked.find(newer) == [questions._IN_FILE]
    asked.close()


def test_a_full_disk_is_an_error_and_no_answer_to_another_question() -> None:
    asked, most = Questions(), resource.getrlimit(resource.RLIMIT_FSIZE)
    asked.take([*map(digest, range(questions._WRITTEN_AT_ONCE - 1))])

    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most[1]))
        with pytest.raises(OSError, match="File too large"):
            asked.take([digest("a"), digest("b")])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)

    assert asked.take([digest("b"), digest(7)]) == [questions._WRITTEN_AT_ONCE, 7]
    asked.close()
