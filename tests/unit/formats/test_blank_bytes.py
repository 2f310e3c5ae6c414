from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest

from shared.bucket.records.plan import Source
from shared.formats import blank_bytes
from shared.pipeline.validate.dropped_file import DroppedFile
from shared.problems.exceptions import UserInputError
from tests.support.fakes import MemoryStore
from tests.support.reading import assert_told


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blank_bytes, "MAX_BLANK_BYTES", 1000)
    monkeypatch.setattr(blank_bytes, "MAX_BLANK_LINES", 1000)


@pytest.mark.parametrize(
    "blank",
    [b"\n", b"\r\n", b"\r", b" ", b"\t\n", b",,,\n", b";;\r\n", b"|", "\r\n".encode("utf-16-le"), b"\0"],
)
def test_blank_lines_without_end_are_told(blank: bytes) -> None:
    def endless() -> Iterator[bytes]:
        yield b"a,b\n1,2\n"
        while True:
            yield blank * 50

    with pytest.raises(UserInputError) as refusal:
        list(blank_bytes.without_endless_blanks(endless()))

    assert [problem.code for problem in refusal.value.problems] == ["endless_blanks"]
    assert_told(refusal.value.problems)


@pytest.mark.parametrize("blank", [b"\n", b"\r", b"\r\n", b"\t\n", b";\n"])
def test_blank_lines_are_too_many_long_before_their_bytes_are(
    monkeypatch: pytest.MonkeyPatch, blank: bytes
) -> None:
    monkeypatch.setattr(blank_bytes, "MAX_BLANK_LINES", 10)

    assert list(blank_bytes.without_endless_blanks([blank * 10])) == [blank * 10]
    with pytest.raises(UserInputError):
        list(blank_bytes.without_endless_blanks([blank * 10, blank]))


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl.gz", "a.xlsx"])
def test_a_dropped_file_is_read_through_it(name: str) -> None:
    store = MemoryStore()
    content = b"\n" * 5000
    store.put(f"inbox/{name}", gzip.compress(content) if name.endswith(".gz") else content)
    head = store.head(f"inbox/{name}")
    assert head is not None
    source = Source(
        bucket="drop", key=head.key, etag=head.etag, size_bytes=head.size_bytes, dropped_at=head.modified_at
    )

    with DroppedFile(store, source) as file, pytest.raises(UserInputError):
        list(file.chunks())


@pytest.mark.parametrize(
    "chunks",
    [
        [b"a\n1\n", *[b"\n" * 100] * 9],
        [b"\n" * 100, b"a\n1\n", b"\n" * 900] * 3,
        [b"\n" * 400 + b"1" + b"\n" * 400] * 20,
        [b"a" * 5000],
        [],
    ],
)
def test_everything_else_passes_as_it_is(chunks: list[bytes]) -> None:
    assert list(blank_bytes.without_endless_blanks(chunks)) == chunks
