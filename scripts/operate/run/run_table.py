"""Takes one table through a bucket: dropped, watched, and its result shown."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scripts.operate.access import OpenBucket
from scripts.operate.door.reply import DONE, HAS_FAILED_ROWS, Reply
from scripts.operate.jobs.facts import ledger_facts, quote_facts
from scripts.operate.jobs.show import cost_text, counts, odd_answers
from scripts.operate.run.drop_table import DropTable
from scripts.operate.run.follow import CLOUD_S, LOCAL_S, Follow
from scripts.operate.run.watch import Seen, Watch
from scripts.operate.texts.said import ERASED_NAME, Refusal, said
from scripts.terminal import named, render_table
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan
from shared.pipeline.jobs.report import UPLOAD_AGAIN
from shared.pipeline.page.first_results import first_results
from shared.pipeline.page.first_rows import FirstRows
from shared.pipeline.sample.sample_results import find_sample

# Of every row the same, or long.
_HIDDEN = {
    "reasoning_content", "model", "finish_reason", "prompt_tokens", "completion_tokens", "total_tokens",
    "request_id", "created", "error_code", "error_message", "usage",
}  # fmt: skip


@dataclass(frozen=True)
class RunTable:
    """Shows what happens to a table until its result is there."""

    bucket: OpenBucket
    reply: Reply
    follow: Follow

    def __call__(self, table: Path, recipe: Path | None, out: Path | None = None) -> int:
        """Return the exit status; what was done already is shown and not done again.

        Raises:
            Refusal: The file was refused, and its report is in the text; or nothing could be saved
                as ``out``.
        """
        if out:
            _require_place(out)
        head = DropTable(self.bucket)(table, recipe)
        self.reply.event(event="dropped", key=head.key)
        watch = Watch(self.bucket)
        [seen] = (self.follow({table.name: lambda: watch.look(head)}) or {}).values()
        if seen.report is not None:
            report = "\n".join(each for each in seen.report.split("\n") if each not in UPLOAD_AGAIN)
            raise Refusal("run_refused", report, file=table.name)
        status, facts = _ended(self.bucket, self.reply, seen)
        self.reply.show(**facts)
        if out and seen.ledger:
            self._save(seen.ledger.result_key, out)
        return status

    def _save(self, key: str, out: Path) -> None:
        """The result as a file of this machine, which is whole or not there."""
        draft = out.with_name(f"{out.name}.draft")
        try:
            with draft.open("wb") as file:
                file.writelines(self.bucket.store.read(key))
            draft.replace(out)
        finally:
            draft.unlink(missing_ok=True)
        self.reply.tell(said("run_saved", path=out))
        kept = Path(key).suffix
        if out.suffix.lower() != kept:
            self.reply.tell(said("run_saved_other", path=out, suffix=kept, format=kept[1:]))
        self.reply.show(saved=str(out))


def _require_place(out: Path) -> None:
    """Before anything is sent, which would be paid for."""
    if out.is_dir():
        raise Refusal("out_is_a_folder", path=out)
    if not (out.parent.is_dir() and os.access(out.parent, os.W_OK)):
        raise Refusal("out_without_folder", path=out, folder=out.parent)


def follow_jobs(bucket: OpenBucket, reply: Reply, plans: Sequence[Plan]) -> int:
    """Show how far jobs are until all have ended, then their results; return the exit status."""
    watch = Watch(bucket)
    names = {f"{plan.job_id} {plan.source.key}".rstrip(): plan for plan in plans}
    looks = {name: partial(watch.look_at, plan) for name, plan in names.items()}
    seen = Follow(reply, LOCAL_S if bucket.folder else CLOUD_S)(looks) or {}
    shown = [_ended(bucket, reply, each) for each in seen.values()]
    reply.show(results=[facts for _, facts in shown])
    return max(status for status, _ in shown)


def _ended(bucket: OpenBucket, reply: Reply, seen: Seen) -> tuple[int, dict[str, object]]:
    if seen.plan is None or seen.ledger is None or seen.ledger.erased_at:
        raise Refusal("already_erased", job=seen.plan.job_id if seen.plan else "", key=" ".join(ERASED_NAME))
    return show_result(bucket, reply, seen.plan, seen.ledger)


def show_result(
    bucket: OpenBucket, reply: Reply, plan: Plan, ledger: Ledger
) -> tuple[int, dict[str, object]]:
    """Tell where the result is, how many rows ended how, and its first rows.

    Returns:
        The exit status, and the same as facts.
    """
    place = _place(bucket, ledger.result_key)
    first = first_results(bucket.store, plan) or FirstRows([], [])
    facts: dict[str, object] = {
        "job": ledger_facts(ledger),
        "quote": quote_facts(plan, find_sample(BucketRecords(bucket.store), plan)),
        "result": place,
        "columns": first.columns,
        "rows": first.rows,
    }
    tokens = ledger.tokens.total
    reply.tell(said("run_done", rows=ledger.rows_out, counts=counts(ledger), tokens=tokens))
    reply.tell(f"    {named(place)}")  # alone, so that it is seen and copied
    if ledger.bill and ledger.attempts:
        reply.tell(
            said("run_cost", cost=cost_text(ledger.bill, is_charged=bucket.is_charged(ledger.provider)))
        )
    for line in odd_answers(ledger):
        reply.tell(line)
    if first.columns:
        reply.tell(_table(first))
    if ledger.answered == ledger.rows_out:
        return DONE, facts
    reply.tell(said("run_has_open_rows", job=ledger.job_id))
    return HAS_FAILED_ROWS, facts


def _table(first: FirstRows) -> str:
    """What differs from row to row, so that it fits a terminal."""
    filled = {index for row in first.rows for index, cell in enumerate(row) if cell}
    shown = [index for index, name in enumerate(first.columns) if index in filled and name not in _HIDDEN]
    rows = [[row[index] for index in shown if index < len(row)] for row in (first.columns, *first.rows)]
    return render_table(rows[0], rows[1:])


def _place(bucket: OpenBucket, key: str) -> str:
    return str(bucket.folder / key) if bucket.folder else f"oss://{bucket.name}/{key}"
