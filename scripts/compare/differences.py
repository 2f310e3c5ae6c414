"""What differs between two buckets: results, reports and request lines, byte by byte."""

from __future__ import annotations

import csv
import fnmatch
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import pyarrow.parquet as pq

from scripts.compare.checkout import Side

# The local Bailian makes these up for each batch and each answer.
_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_BLANK_UUID = b"00000000-0000-4000-8000-000000000000"
_EPOCH_S = re.compile(rb"(?<![0-9])[1-9][0-9]{9}(?![0-9])")
_REPORT_TIME = re.compile(
    rb'^( *"(?:dropped_at|seen_at|planned_at|closed_at|duration_s)": )("[^"]*"|[0-9.e+-]+)', re.M
)
_RUN = re.compile(r"^(work/[0-9a-f]{16})/[^/]*/([0-9]+\.requests\.jsonl)$")
_FACT = re.compile(r"[0-9]+|\[[a-z][a-z0-9_]*\]")
_SHOWN_CHARS = 40


class Verdict(Enum):
    """How a file of the one bucket compares with that of the other."""

    SAME = "same"
    REWORDED = "reworded"
    ADDED = "added"
    DIFFERENT = "DIFFERENT"


@dataclass(frozen=True)
class Comparison:
    """One file; ``size`` in bytes, as the newer checkout has it if both do."""

    name: str
    size: int
    verdict: Verdict
    first_difference: str = ""


@dataclass(frozen=True)
class OnPurpose:
    """Differences that are meant.

    Attributes:
        reworded: Patterns of names under ``rejected/`` whose texts may be worded otherwise. Line
            numbers, codes and other numbers must agree.
        added: Fields that only the newer checkout writes into ``*.report.json``.
    """

    reworded: Sequence[str] = ()
    added: Sequence[str] = ()


def compare(old: Side, new: Side, on_purpose: OnPurpose) -> Iterator[Comparison]:
    """Every file that people get and every request line that is paid, ordered by name."""
    ours, theirs = (_compared_files(side.bucket_dir) for side in (old, new))
    for name in sorted(ours.keys() | theirs.keys()):
        if name not in ours or name not in theirs:
            path = ours.get(name) or theirs[name]
            where = "old" if name in ours else "new"
            yield Comparison(name, path.stat().st_size, Verdict.DIFFERENT, f"only in {where}")
            continue
        before, after = _comparable(ours[name], old), _comparable(theirs[name], new)
        verdict = _verdict(name, before, after, on_purpose)
        difference = "" if verdict is Verdict.SAME else first_difference(before, after)
        yield Comparison(name, theirs[name].stat().st_size, verdict, difference)


def _compared_files(bucket_dir: Path) -> dict[str, Path]:
    """By a name that is the same in every run: without the id of the run of ``validate``."""
    found = {}
    for path in sorted(path for path in bucket_dir.rglob("*") if path.is_file()):
        name = path.relative_to(bucket_dir).as_posix()
        if name.startswith(("results/", "rejected/")):
            found[name] = path
        elif name.startswith("work/") and name.endswith("requests.jsonl"):
            found[_RUN.sub(r"\1/run/\2", name)] = path
    return found


def _comparable(path: Path, side: Side) -> bytes:
    """The content; of results without what differs between two runs of one checkout."""
    if "results" not in path.relative_to(side.bucket_dir).parts[:1]:
        return path.read_bytes()
    content = parquet_lines(path) if path.suffix == ".parquet" else path.read_bytes()
    if path.name.endswith(".report.json"):
        content = _REPORT_TIME.sub(rb'\1"-"', content)
    return without_chance(content, side)


def without_chance(content: bytes, side: Side) -> bytes:
    """Blank what is random, ``request_id`` and batch ids, and ``created``, a second of the run."""

    def blank_second(match: re.Match[bytes]) -> bytes:
        return b"0" * 10 if side.started_s <= int(match[0]) <= side.ended_s else match[0]

    return _EPOCH_S.sub(blank_second, _UUID.sub(_BLANK_UUID, content))


def parquet_lines(path: Path) -> bytes:
    """All that a Parquet file says but its compressed bytes, in which chance reaches everywhere."""
    file = pq.ParquetFile(path)
    schema = file.schema_arrow
    head = [
        str(schema.metadata),
        *(f"{each.name}: {each.type} {each.nullable} {each.metadata}" for each in schema),
    ]
    groups = [str(file.metadata.row_group(number).num_rows) for number in range(file.num_row_groups)]
    rows = [json.dumps(row, ensure_ascii=False, default=str) for row in file.read().to_pylist()]
    return "\n".join([*head, " ".join(groups), *rows, ""]).encode("utf-8", "surrogatepass")


def _verdict(name: str, old: bytes, new: bytes, on_purpose: OnPurpose) -> Verdict:
    if old == new:
        return Verdict.SAME
    if name.endswith(".report.json") and old == _without_fields(new, on_purpose.added):
        return Verdict.ADDED
    is_report = name.startswith("rejected/") and name.endswith((".report.txt", ".report.csv"))
    is_named = is_report and any(fnmatch.fnmatchcase(name, each) for each in on_purpose.reworded)
    if is_named and facts_in(name, old) == facts_in(name, new):
        return Verdict.REWORDED
    return Verdict.DIFFERENT


def _without_fields(report: bytes, names: Sequence[str]) -> bytes:
    """The report without these fields of one line, the comma before a last one included."""
    for name in map(re.escape, names):
        pattern = rf',\n "{name}": [^\n]*(?=\n}})|(?<=\n) "{name}": [^\n]*\n'
        report = re.sub(pattern.encode(), b"", report)
    return report


def facts_in(name: str, content: bytes) -> list[object]:
    """What must not change when a report is reworded: by line, in any order within it."""
    text = content.decode("utf-8-sig")
    if name.endswith(".csv"):
        rows = csv.reader(io.StringIO(text, newline=""))
        return [(row[:-2], [sorted(_FACT.findall(cell)) for cell in row[-2:]]) for row in rows]
    return [sorted(_FACT.findall(line)) for line in text.split("\r\n")]


def first_difference(old: bytes, new: bytes) -> str:
    """Where two contents part, with a little of both from there on."""
    at = next((at for at, (ours, theirs) in enumerate(zip(old, new, strict=False)) if ours != theirs), None)
    at = min(len(old), len(new)) if at is None else at
    line = old.count(b"\n", 0, at) + 1
    start = max(old.rfind(b"\n", 0, at) + 1, at - _SHOWN_CHARS // 2)
    shown = (side[start : start + 2 * _SHOWN_CHARS].decode("utf-8", "ignore") for side in (old, new))
    before, after = (text[:_SHOWN_CHARS] for text in shown)
    return f"line {line}: {before!r} → {after!r}"
