"""Batchdrop's own paths, as the functions run them.

``python -m scripts.benchmarks.paths.ours <path> <folder> <shards…>``. ``prepare`` writes the plan
and the rows that ``flatten`` and ``join`` start from, and is not measured.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from typing import cast

from scripts.operate.recipes.local_folder import LocalFolder
from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import record_key
from shared.bucket.records.plan import Plan, PlannedShard, Source
from shared.formats.lines import byte_lines
from shared.inputs.inbox_keys import InputKind
from shared.inputs.rows import InputRow
from shared.pipeline.validate.shards.write_shards import ShardWriter
from shared.ports.provider import BatchId, BatchProvider, BatchState, BatchStatus
from shared.ports.providers import Provider
from shared.providers.bailian.profile import BAILIAN

JOB = JobId("0123456789abcdef")
NOW = datetime(2026, 11, 21, tzinfo=timezone.utc)
# As in the other contenders, each row is sent, also one that asks what another has asked.
RECIPE = 'model: qwen-flash\nsystem: You are a helpful assistant.\nprompt: "{{ 内容 }}"\ndedupe: false\n'


class _Clock:
    def now(self) -> datetime:
        return NOW


class ResultFiles:
    """The one call of ``BatchProvider`` that is measured; a batch's result files are files."""

    def __init__(self, store: LocalFolder) -> None:
        self._store = store

    def results(self, state: BatchState) -> Iterator[bytes]:
        for name in state.result_files:
            yield from byte_lines(self._store.read(name))


def _store(folder: Path) -> LocalFolder:
    return LocalFolder(folder / "no table in an inbox", folder)


def _source(key: str, etag: str) -> Source:
    return Source(bucket="bench", key=key, etag=etag, size_bytes=1, dropped_at=NOW)


def _plan(kind: InputKind, columns: tuple[str, ...], shards: tuple[PlannedShard, ...]) -> Plan:
    return Plan(
        job_id=JOB,
        source=_source("inbox/input", "0"),
        kind=kind.value,
        encoding="utf-8",
        delimiter=",",
        columns=columns,
        model="qwen-flash",
        endpoint="/v1/chat/completions",
        completion_window=timedelta(hours=24),
        attempts=1,
        output_encoding="utf-8",
        formula_guard=True,
        result_key="results/result.csv",
        rows=sum(shard.rows for shard in shards),
        bad_rows=0,
        shards=shards,
        created_at=NOW,
    )


def prepare(folder: Path) -> None:
    """Write what ``validate`` would have: the rows of each shard, in input order, and the plan."""
    store = _store(folder)
    limits = BAILIAN.limits_for("qwen-flash")
    table = folder / "input.csv"
    columns: tuple[str, ...] = ()
    with ShardWriter(store, JOB, "run") as writer:
        if table.exists():
            columns, rows = _table_rows(table)
            for row in rows:
                writer.add(row, limits)
        else:
            numbers = count(1)
            for path in sorted(folder.glob("results-*.jsonl"), key=_shard_of):
                with path.open("rb") as file:
                    lines = sum(1 for _ in file)
                for number in (next(numbers) for _ in range(lines)):
                    writer.add(InputRow(number, f"q-{number}", (), b"{}\n"), limits)
        shards = writer.finish()
    kind = InputKind.RECIPE_CSV if columns else InputKind.REQUEST_JSONL
    store.put(record_key(JOB, "plan.json"), _plan(kind, columns, shards).to_bytes())


def _table_rows(table: Path) -> tuple[tuple[str, ...], Iterator[InputRow]]:
    rows = csv.reader(table.open(encoding="utf-8", newline=""))
    columns = tuple(next(rows))
    return columns, (InputRow(line, cells[0], tuple(cells), b"{}\n") for line, cells in enumerate(rows, 2))


def _shard_of(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def _each_shard(folder: Path, shards: list[int]) -> Iterator[tuple[LocalFolder, Plan, Attempt, BatchState]]:
    store = _store(folder)
    plan = BucketRecords(store).find_plan(JOB)
    if plan is None:
        raise SystemExit("run prepare first")
    for shard in shards or range(1, len(plan.shards) + 1):
        files = (f"results-{shard}.jsonl",)
        state = BatchState(BatchId(f"batch_{shard}"), BatchStatus.COMPLETED, "completed", result_files=files)
        yield store, plan, Attempt(JOB, 1, shard), state


def settle(folder: Path, shards: list[int]) -> None:
    """Read each shard's result lines, in any order, and write its part in input order."""
    from shared.pipeline.collect.settle_attempt import SettleAttempt  # noqa: PLC0415 - only what is measured is loaded

    for store, plan, attempt, state in _each_shard(folder, shards):
        provider = Provider(BAILIAN, cast("BatchProvider", ResultFiles(store)))
        outcome = SettleAttempt(store, provider, _Clock(), "run")(plan, attempt, state)
        if outcome.settled != plan.shards[attempt.shard - 1].rows:
            raise SystemExit(f"{outcome.settled} rows of {attempt} are settled")


def spool(folder: Path, shards: list[int]) -> None:
    """The first half of ``settle``: result lines in any order to finished rows on disk."""
    from shared.pipeline.collect.rows.shard_rows import ShardRows  # noqa: PLC0415 - the same
    from shared.results.rendering import AnswerRenderer  # noqa: PLC0415 - the same
    from shared.results.spool.answer_spool import AnswerSpool  # noqa: PLC0415 - the same

    def found(store: LocalFolder, plan: Plan, attempt: Attempt, state: BatchState) -> int:
        asked = ShardRows(store, plan, attempt).open_ids()
        with AnswerSpool(asked, AnswerRenderer(plan), lambda _: None) as answers:
            answers.add_lines(ResultFiles(store).results(state))
            return answers.found

    for store, plan, attempt, state in _each_shard(folder, shards):
        if found(store, plan, attempt, state) != plan.shards[attempt.shard - 1].rows:
            raise SystemExit(f"not all rows of {attempt} are there")


def check(folder: Path, name: str) -> None:
    """The first half of ``validate``: every line checked, nothing written."""
    from shared.inputs.inbox_keys import FileForm  # noqa: PLC0415 - the same
    from shared.inputs.reading import RowReader  # noqa: PLC0415 - the same
    from shared.inputs.requests.request_lines import RequestLines  # noqa: PLC0415 - the same

    store = _store(folder)
    lines = RequestLines(lambda: store.read(name), BAILIAN)
    reader = RowReader(lines, FileForm("jsonl", is_text=True))
    for _ in reader.rows():
        pass
    if reader.all_problems.total or not reader.facts.rows:
        raise SystemExit(f"{reader.all_problems.total} problems")


def plan_of(folder: Path, name: str, recipe_text: str | None = None) -> Plan:
    """Check every row of the file and write its shards.

    Raises:
        SystemExit: The file was refused.
    """
    from shared.pipeline.validate.plan_job import PlanJob, Planned  # noqa: PLC0415 - the same
    from shared.pipeline.validate.watch import Watch  # noqa: PLC0415 - the same
    from shared.recipes.parse import parse_recipe  # noqa: PLC0415 - only what is measured is loaded

    recipe = parse_recipe(recipe_text.encode(), BAILIAN) if recipe_text else None
    store = _store(folder)
    head = store.head(name)
    clock, watch = _Clock(), Watch(_Clock(), bool)
    planner = PlanJob(store, clock, BAILIAN, "qwen-flash", "run", watch, has_real_time=True)
    said = planner(_source(name, head.etag if head else ""), JOB, recipe)
    if not isinstance(said, Planned):
        raise SystemExit(f"refused: {said}")
    return said.plan


def main(path: str, folder: Path, shards: list[int]) -> None:
    if path == "prepare":
        prepare(folder)
    elif path in {"flatten", "join"}:
        settle(folder, shards)
    elif path == "spool":
        spool(folder, shards)
    elif path == "check":
        check(folder, "requests.jsonl")
    elif path == "validate":
        plan_of(folder, "requests.jsonl")
    elif path == "convert":
        plan_of(folder, "input.csv", RECIPE)
    else:
        raise SystemExit(f"unknown path {path}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), [int(shard) for shard in sys.argv[3:]])
