"""Says what output files hold, whatever their format.

``python -m scripts.benchmarks.paths.agree <kind> <files…>`` prints the number of rows and one
digest of them. The order of the columns does not count for ``answers`` and ``joined``, the order of
the rows not for ``answers`` and ``requests``.
"""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

csv.field_size_limit(1 << 30)


def _table(files: list[Path]) -> Iterator[dict[str, str]]:
    """Only the first file has a header: the others continue it."""
    header: list[str] = []
    for path in files:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.reader(file):
                if header:
                    yield dict(zip(header, row, strict=True))
                else:
                    header = row


def _answers(files: list[Path]) -> Iterator[str]:
    for row in _table(files):
        content = row["content"]
        if content.startswith("["):
            content = json.dumps(json.loads(content))
        yield json.dumps([row["custom_id"], content, row["error_code"], row["error_message"]])


def _joined(files: list[Path]) -> Iterator[str]:
    for number, row in enumerate(_table(files)):
        names = ("id", "name", "text", "content", "error_code", "error_message")
        yield json.dumps([number, *(row[name] for name in names)])


def _requests(files: list[Path]) -> Iterator[str]:
    for path in files:
        with path.open("rb") as file:
            for line in file:
                body = json.loads(line)["body"]
                yield json.dumps([body["model"], body["messages"]])


def _lines(files: list[Path]) -> Iterator[str]:
    for path in files:
        if path.suffix == ".count":
            yield from ("" for _ in range(int(path.read_text())))
        else:
            with path.open("rb") as file:
                yield from ("" for _ in file)


_KINDS = {"answers": _answers, "joined": _joined, "requests": _requests, "lines": _lines}


def digest(kind: str, files: list[Path]) -> str:
    rows, total = 0, 0
    for row in _KINDS[kind](files):
        rows += 1
        # A sum does not care about order; joined rows carry their number.
        total += int.from_bytes(
            hashlib.blake2b(row.encode("utf-8", "replace"), digest_size=8).digest(), "big"
        )
    return f"{rows} rows {total % (1 << 64):016x}"


if __name__ == "__main__":
    print(digest(sys.argv[1], [Path(name) for name in sys.argv[2:]]))
