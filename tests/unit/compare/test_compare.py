"""The comparison of two checkouts overlooks what chance makes different, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.compare.checkout import Side, starts_a_job
from scripts.compare.differences import OnPurpose, Verdict, compare
from scripts.compare.odd_files import later_files, odd_files

START_S = 1_795_000_000
IDS = ("11111111-aaaa-4bbb-8ccc-000000000001", "22222222-aaaa-4bbb-8ccc-000000000002")
REPORT = "文件 a.csv 未被接受：发现 1 个问题。\r\n1. 第 3 行 {zh} 2 列。[ragged_row]\r\n   Line 3: {en} 2. [ragged_row]\r\n"


def verdicts(
    tmp_path: Path, old: dict[str, bytes], new: dict[str, bytes], *reworded: str, added: str = ""
) -> dict[str, tuple[Verdict, str]]:
    sides = []
    for number, files in enumerate((old, new)):
        bucket_dir = tmp_path / str(number)
        for name, content in files.items():
            path = bucket_dir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        sides.append(Side(bucket_dir, START_S, START_S + 100))
    return {
        each.name: (each.verdict, each.first_difference)
        for each in compare(*sides, OnPurpose(reworded, [added]))
    }


def test_ids_and_times_of_a_run_are_no_difference(tmp_path: Path) -> None:
    def run(number: int) -> dict[str, bytes]:
        at = START_S + number
        report = {
            "batches": [f"batch_{IDS[number]}"],
            "closed_at": str(at),
            "duration_s": at / 7,
            "rows_in": 1,
        }
        table = pa.table({"request_id": [IDS[number]], "created": [at], "content": ["好"]})
        path = tmp_path / "table.parquet"
        pq.write_table(table, path)
        return {
            "results/a.csv": f"{IDS[number]},{at},answer\r\n".encode(),
            "results/a.report.json": json.dumps(report, indent=1).encode(),
            "results/b.parquet": path.read_bytes(),
            f"work/0123456789abcdef/run-{number}/00001.requests.jsonl": b"{}\n",
            f"jobs/0123456789abcdef/start-run-{number}": b"",
        }

    seen = verdicts(tmp_path, run(0), run(1))

    assert {name: verdict for name, (verdict, _) in seen.items()} == {
        "results/a.csv": Verdict.SAME,
        "results/a.report.json": Verdict.SAME,
        "results/b.parquet": Verdict.SAME,
        "work/0123456789abcdef/run/00001.requests.jsonl": Verdict.SAME,
    }


@pytest.mark.parametrize(
    ("name", "old", "new", "shown"),
    [
        ("results/a.csv", b"a,b\r\n1,2\r\n", b"a,b\r\n1,3\r\n", "line 2: '1,2\\r\\n' → '1,3\\r\\n'"),
        ("results/a.csv", b"a\r\n", b"a\r\n\r\n", "line 2: '' → '\\r\\n'"),
        ("results/a.csv", b"1895000000", b"1895000001", "line 1: '1895000000' → '1895000001'"),
        (
            "results/a.report.json",
            b' "rows_in": 1',
            b' "rows_in": 2',
            "line 1: ' \"rows_in\": 1' → ' \"rows_in\": 2'",
        ),
        ("rejected/a.csv.report.txt", IDS[0].encode(), IDS[1].encode(), f"line 1: '{IDS[0]}' → '{IDS[1]}'"),
        (
            "work/0123456789abcdef/2-00001/requests.jsonl",
            IDS[0].encode(),
            IDS[1].encode(),
            f"line 1: '{IDS[0]}' → '{IDS[1]}'",
        ),
    ],
)
def test_any_other_byte_is_a_difference(
    tmp_path: Path, name: str, old: bytes, new: bytes, shown: str
) -> None:
    ((_, seen),) = verdicts(tmp_path, {name: old}, {name: new}).items()

    assert seen == (Verdict.DIFFERENT, shown)


def test_a_parquet_file_differs_by_its_types_and_its_rows(tmp_path: Path) -> None:
    def parquet(values: pa.Array) -> dict[str, bytes]:
        path = tmp_path / "table.parquet"
        pq.write_table(pa.table({"n": values}), path)
        return {"results/a.parquet": path.read_bytes()}

    integers = parquet(pa.array([1, 2]))
    for number, other in enumerate((pa.array([1, 3]), pa.array([1, 2], pa.int32()), pa.array([1, 2, 2]))):
        seen = verdicts(tmp_path / str(number), integers, parquet(other))
        assert seen["results/a.parquet"][0] is Verdict.DIFFERENT


def test_a_file_that_only_one_side_has_is_a_difference(tmp_path: Path) -> None:
    seen = verdicts(
        tmp_path, {"results/a.csv": b"", "results/b.csv": b""}, {"results/b.csv": b"", "results/c.csv": b""}
    )

    assert seen == {
        "results/a.csv": (Verdict.DIFFERENT, "only in old"),
        "results/b.csv": (Verdict.SAME, ""),
        "results/c.csv": (Verdict.DIFFERENT, "only in new"),
    }


@pytest.mark.parametrize(
    ("new", "pattern", "verdict"),
    [
        (REPORT.format(zh="只有", en="it has only"), "rejected/*", Verdict.REWORDED),
        (REPORT.format(zh="只有", en="it has only"), "rejected/b*", Verdict.DIFFERENT),
        (REPORT.format(zh="应有 3 列，只有", en="has"), "rejected/*", Verdict.DIFFERENT),
        (REPORT.replace("3", "4").format(zh="有", en="has"), "rejected/*", Verdict.DIFFERENT),
        (REPORT.replace("ragged", "odd").format(zh="有", en="has"), "rejected/*", Verdict.DIFFERENT),
        (REPORT.format(zh="有", en="has") + "2. \r\n", "rejected/*", Verdict.DIFFERENT),
    ],
)
def test_a_reworded_report_keeps_its_lines_numbers_and_codes(
    tmp_path: Path, new: str, pattern: str, verdict: Verdict
) -> None:
    name = "rejected/a.csv.report.txt"

    seen = verdicts(
        tmp_path, {name: REPORT.format(zh="有", en="has").encode()}, {name: new.encode()}, pattern
    )

    assert seen[name][0] is verdict


def test_of_a_reworded_table_only_the_sentences_may_change(tmp_path: Path) -> None:
    name, before = "rejected/a.csv.report.csv", "line,field,code,found,zh,en\r\n3,a,odd,x,有 2 列,has 2\r\n"

    def seen(after: str, run: str) -> Verdict:
        return verdicts(tmp_path / run, {name: before.encode()}, {name: after.encode()}, "*")[name][0]

    assert seen(before.replace("has", "it has"), "sentence") is Verdict.REWORDED
    assert seen(before.replace(",x,", ",y,"), "found") is Verdict.DIFFERENT


def test_a_result_is_never_taken_for_reworded(tmp_path: Path) -> None:
    seen = verdicts(tmp_path, {"results/a.csv": b"has"}, {"results/a.csv": b"it has"}, "*")

    assert seen["results/a.csv"][0] is Verdict.DIFFERENT


@pytest.mark.parametrize(
    ("new", "verdict"),
    [
        ({"made_by": "26.11", "rows_in": 1, "rows_out": 1}, Verdict.ADDED),
        ({"rows_in": 1, "made_by": "26.11", "rows_out": 1}, Verdict.ADDED),
        ({"rows_in": 1, "rows_out": 1, "made_by": "26.11"}, Verdict.ADDED),
        ({"rows_in": 1, "rows_out": 2, "made_by": "26.11"}, Verdict.DIFFERENT),
        ({"rows_in": 1, "rows_out": 1, "provider": "x"}, Verdict.DIFFERENT),
        ({"rows_in": 1}, Verdict.DIFFERENT),
    ],
)
def test_a_report_may_have_a_field_more_if_it_is_named(
    tmp_path: Path, new: dict[str, object], verdict: Verdict
) -> None:
    name = "results/a.report.json"
    reports = [{name: json.dumps(each, indent=1).encode()} for each in ({"rows_in": 1, "rows_out": 1}, new)]

    assert verdicts(tmp_path, *reports, added="made_by")[name][0] is verdict


def test_the_odd_files_are_many_and_no_two_want_one_result_name() -> None:
    files = odd_files(1)
    inputs = [PurePosixPath(name) for name in files if starts_a_job(name)]
    stems = [path.parent / path.name.removesuffix(".gz").rpartition(".")[0] for path in inputs]

    assert len(inputs) > 40
    assert len(stems) == len(set(stems))
    books = {name for name in files if name.endswith((".xlsx", ".xlsm"))}
    again = odd_files(1)
    assert all(again[name] == content for name, content in files.items() if name not in books)
    assert odd_files(2) != files
    assert all(content != files.get(name) for name, content in later_files().items())
