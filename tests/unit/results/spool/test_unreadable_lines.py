"""A result line that cannot be read is in the row that it names, which is not sent again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shared.results.columns import Answer, RowStatus
from shared.results.replies.result_lines import parse_result_line
from shared.results.spool.answer_spool import AnswerSpool
from tests.support.builders import answered_line, failed_in_output_line, refused_line

IDS = ["q-1", "q-2", "第 3 行"]
DEEP = b"[" * 2_000 + b"]" * 2_000
WHOLE = answered_line("q-1", "paid")


class _Plain:
    """Renders an answer as its text alone, which has no place for what another line says."""

    text = None

    def __call__(self, answer: Answer) -> tuple[bytes, str]:
        return answer.content.encode(), ""

    def beside(self, _rendered: bytes, _other: Answer) -> None:
        return None


as_text = _Plain()


def spooled(*lines: bytes) -> tuple[list[Any], AnswerSpool]:
    """What each of the rows has: its content, its reason, or nothing."""
    with AnswerSpool(IDS, as_text, [].append) as spool:
        spool.add_lines(lines)
        found = [
            spool.rendered(index)[0].decode() if spool.is_answered(index) else spool.reason(index)
            for index in range(len(IDS))
        ]
    return found, spool


def is_kept(reason: Any, text: bytes) -> bool:
    return (
        isinstance(reason, Answer)
        and (reason.status, reason.error_code, reason.retryable)
        == (RowStatus.REFUSED, "line_unreadable", False)
        and reason.error_message.endswith("[line_unreadable]")
        and json.loads(reason.extra) == {"line": text.decode(errors="replace")}
    )


def odd_line(value: bytes) -> bytes:
    return WHOLE.replace(b'"error": null', b'"error": null, "odd": ' + value)


@pytest.mark.parametrize(
    "line",
    [
        WHOLE[:-1],
        WHOLE[: len(WHOLE) // 2],
        WHOLE[:-1] + b"\r",
        odd_line(DEEP),
        odd_line(b'{"a":' * 990 + b"1" + b"}" * 990),
        odd_line(b"tru"),
        odd_line("\ufeff1".encode()),
        WHOLE.replace(b'"paid"', b'"pa"id"'),
        WHOLE.replace(b'"paid"', b'"pa\xff\\xid"'),
        b"data: " + WHOLE,
        WHOLE[1:],
        WHOLE + b" trailing words",
        WHOLE.replace(b'"paid"', b'"%b"' % (b"x" * 5_000_000))[:-1],
        b'{"response": "\\"custom_id\\": \\"q-2\\"", "custom_id" : "q-1", ',
    ],
    ids=range(14),
)
def test_the_row_keeps_the_text_of_its_line(line: bytes) -> None:
    (first, *others), spool = spooled(line)

    assert is_kept(first, line)
    assert others == [None, None]
    assert (spool.found, spool.unreadable_lines) == (0, 1)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (b'"q-1"', 0),
        (b'"q\\u002d2"', 1),
        (json.dumps(IDS[2]).encode(), 2),
        (f'"{IDS[2]}"'.encode(), 2),
        (b'"stranger"', None),
        (b'"q-', None),
    ],
)
def test_a_row_is_found_however_its_id_is_written(written: bytes, found: int | None) -> None:
    line = b'{"custom_id": ' + written + b', "response": {'

    rows, spool = spooled(line)

    assert [is_kept(row, line) for row in rows] == [index == found for index in range(3)]
    assert spool.unreadable_lines == 1


@pytest.mark.parametrize("parts", [(b"{", WHOLE[1:60], WHOLE[60:]), (WHOLE[:40], WHOLE[40:80], WHOLE[80:-1])])
def test_a_text_with_line_ends_in_it_stays_together(parts: tuple[bytes, ...]) -> None:
    (first, second, _), _ = spooled(*parts, answered_line("q-2", "b"))

    assert is_kept(first, b"\n".join(parts))
    assert second == "b"


def test_of_lines_that_became_one_each_row_has_its_own_text() -> None:
    second = answered_line("q-2", "b")
    end = WHOLE + second[: second.index(b'"custom_id"')]

    (first, other, _), _ = spooled(WHOLE + second)

    assert is_kept(first, end)
    assert is_kept(other, second[second.index(b'"custom_id"') :])


@pytest.mark.parametrize("unreadable_first", [True, False])
@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (WHOLE, "paid"),
        (refused_line("q-1", "Bad", "words"), "Bad"),
        (failed_in_output_line("q-1", 500, "Internal"), "line_unreadable"),
    ],
)
def test_of_a_row_that_may_be_paid_for_no_other_line_has_it_sent_again(
    line: bytes, kept: str, unreadable_first: bool
) -> None:
    lines = [WHOLE[:-1], line] if unreadable_first else [line, WHOLE[:-1]]

    (first, *_), spool = spooled(*lines)

    assert (first if isinstance(first, str) else first.error_code) == kept
    assert spool.repeated_ids == 1


AGAIN = failed_in_output_line("q-1", 500, "Internal")
BAD = refused_line("q-1", "Bad", "words")


@pytest.mark.parametrize(
    ("lines", "code", "kept"),
    [
        ((BAD, WHOLE[:-1]), "Bad", [WHOLE[:-1]]),
        ((WHOLE[:-1], BAD), "Bad", [WHOLE[:-1]]),
        ((BAD, WHOLE[:-1], BAD, WHOLE[:-9], BAD, WHOLE[:-1]), "Bad", [WHOLE[:-1], WHOLE[:-9]]),
        ((AGAIN, WHOLE[:-1], BAD), "Bad", [WHOLE[:-1]]),
        ((WHOLE[:-1], AGAIN, BAD, AGAIN), "Bad", [WHOLE[:-1]]),
        ((WHOLE[:-1], AGAIN, WHOLE[:-9]), "line_unreadable", [WHOLE[:-9]]),
    ],
)
def test_a_refusal_keeps_the_text_of_a_line_that_cannot_be_read(
    lines: tuple[bytes, ...], code: str, kept: list[bytes]
) -> None:
    (first, *_), _ = spooled(*lines)

    assert (first.error_code, first.retryable) == (code, False)
    others = json.loads(first.extra)["other_lines"]
    assert {each["error_code"] for each in others} == {"line_unreadable"}
    assert [json.loads(each["extra"])["line"] for each in others] == [each.decode() for each in kept]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ((AGAIN, WHOLE[:-1]), 1),
        ((WHOLE[:-1], AGAIN), 1),
        ((WHOLE[:-1], AGAIN, AGAIN), 1),
        ((AGAIN, WHOLE[:-1], WHOLE[:-9]), 1),
        ((AGAIN, WHOLE[:-1], refused_line("q-1", "Bad", "words")), 1),
        ((AGAIN, WHOLE[:-1], WHOLE, AGAIN), 1),
        ((WHOLE[:-1], WHOLE[:-9]), 0),
        ((WHOLE[:-1], AGAIN, answered_line("q-2", "b")), 2),
    ],
)
def test_a_row_has_a_line_if_one_of_its_lines_can_be_read(lines: tuple[bytes, ...], found: int) -> None:
    assert spooled(*lines)[1].found == found


@pytest.mark.parametrize(
    "line",
    [
        "\ufeff\ufeff".encode() + WHOLE,
        WHOLE + "\ufeff".encode(),
        WHOLE + b"\r",
        WHOLE + b",",
        b"[" + WHOLE + b"]\r",
        b"\x1e" + WHOLE,
        b"\0\0" + WHOLE + b"\0",
        odd_line(b"NaN"),
        odd_line(b"-Infinity"),
        odd_line(b"9" * 5_000),
        odd_line(b"-" + b"9" * 5_000),
        odd_line(b'"\\ud800"'),
        odd_line(b'1, "odd": 2'),
        odd_line(b"[" * 300 + b"]" * 300),
        odd_line(b'"%b"' % (b"x" * 5_000_000)),
    ],
    ids=range(15),
)
def test_what_can_be_read_is_an_answer(line: bytes) -> None:
    assert spooled(line)[0] == ["paid", None, None]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (b"NaN", "NaN"),
        (b"Infinity", "Infinity"),
        (b"-Infinity", "-Infinity"),
        (b"9" * 5_000, "9" * 5_000),
        (b"9" * 4_000, int("9" * 4_000)),
        (b'"\\udc00"', "\ufffd"),
    ],
)
def test_extra_is_json_whatever_stands_in_it(value: bytes, kept: object) -> None:
    answer = parse_result_line(odd_line(value))

    assert answer is not None
    assert json.loads(answer.extra, parse_constant=lambda _: pytest.fail("no JSON")) == {"odd": kept}


def test_an_id_that_came_back_as_a_number_is_that_of_the_row() -> None:
    answer = parse_result_line(answered_line("17", "x").replace(b'"17"', b"17"))

    assert answer is not None
    assert (answer.custom_id, answer.content) == ("17", "x")


def test_a_text_is_kept_also_if_the_reading_breaks_off() -> None:
    def lines() -> Iterator[bytes]:
        yield WHOLE[:-1]
        raise ConnectionError

    with AnswerSpool(IDS, as_text, [].append) as spool:
        with pytest.raises(ConnectionError):
            spool.add_lines(lines())

        assert is_kept(spool.reason(0), WHOLE[:-1])
