from __future__ import annotations

from collections.abc import Iterable

import pytest

from shared.formats.heads import without_bom
from shared.formats.lines import Line, numbered_lines


def lines_of(chunks: Iterable[bytes], max_line_bytes: int = 1000) -> list[Line]:
    """The lines without their ends."""
    return [
        line._replace(content=line.content[: line.size_bytes] if line.content is not None else None)
        for line in numbered_lines(without_bom(chunks), max_line_bytes)
    ]


def contents(*chunks: bytes) -> list[bytes | None]:
    return [line.content for line in lines_of(chunks)]


def test_only_the_line_feed_ends_a_line() -> None:
    text = "a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg\rh\ni".encode()

    assert contents(text) == ["a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg\rh".encode(), b"i"]


def test_line_numbers_count_blank_lines_from_one() -> None:
    lines = lines_of([b"\n\na\n\nb"])

    assert [(line.number, line.content) for line in lines] == [
        (1, b""),
        (2, b""),
        (3, b"a"),
        (4, b""),
        (5, b"b"),
    ]


@pytest.mark.parametrize("size", range(1, 12))
def test_the_bom_is_dropped_wherever_the_chunks_end(size: int) -> None:
    content = b"\xef\xbb\xbfab\r\nc\n"

    chunks = [content[start : start + size] for start in range(0, len(content), size)]

    assert contents(*chunks) == [b"ab\r", b"c"]


def test_a_bom_further_on_is_content() -> None:
    assert contents(b"a\n\xef\xbb\xbfb") == [b"a", b"\xef\xbb\xbfb"]


@pytest.mark.parametrize("chunks", [[], [b""], [b"\xef\xbb\xbf"], [b"\xef", b"\xbb", b"\xbf"]])
def test_a_file_without_content_has_no_lines(chunks: list[bytes]) -> None:
    assert contents(*chunks) == []


def test_a_line_as_long_as_allowed_is_kept_and_one_byte_more_is_counted() -> None:
    lines = lines_of([b"12345\n123456\n", b"123", b"456", b"7\nx"], 5)

    assert lines == [Line(1, b"12345", 5), Line(2, None, 6), Line(3, None, 7), Line(4, b"x", 1)]


def test_a_line_that_is_too_long_is_never_held() -> None:
    chunks = (b"x" * 1000 for _ in range(20_000))

    lines = lines_of(chunks)

    assert lines == [Line(1, None, 20_000_000)]


def test_a_line_is_passed_on_with_its_end_wherever_the_chunks_end() -> None:
    lines = numbered_lines([b"a\n\n", b"b", b"\r\nc"])

    assert [line.content for line in lines] == [b"a\n", b"\n", b"b\r\n", b"c"]
