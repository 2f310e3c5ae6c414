"""Takes one table through a bucket: dropped, watched, and its result shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scripts.operate.access import OpenBucket
from scripts.operate.door.reply import DONE, HAS_FAILED_ROWS, Reply
from scripts.operate.jobs.facts import ledger_facts
from scripts.operate.jobs.show import counts
from scripts.operate.run.drop_table import DropTable
from scripts.operate.run.first_rows import first_rows, shown_rows
from scripts.operate.run.follow import Follow
from scripts.operate.run.watch import Watch
from scripts.operate.texts.said import Refusal, said
from scripts.terminal import named
from shared.bucket.records import Ledger, Plan
from shared.results.columns import RowStatus


@dataclass(frozen=True)
class RunTable:
    """Shows what happens to a table until its result is there."""

    bucket: OpenBucket
    reply: Reply
    follow: Follow

    def __call__(self, table: Path, recipe: Path | None) -> int:
        """Return the exit status; what was done already is shown and not done again.

        Raises:
            Refusal: The file was refused; its report is in the text.
        """
        head = DropTable(self.bucket)(table, recipe)
        self.reply.event(event="dropped", key=head.key)
        watch = Watch(self.bucket)
        [seen] = (self.follow({table.name: lambda: watch.look(head)}) or {}).values()
        if seen.plan is None or seen.ledger is None:
            raise Refusal("run_refused", seen.report or "", file=table.name)
        if seen.ledger.erased_at:
            raise Refusal("already_erased", job=seen.ledger.job_id, key=named(head.key))
        status, facts = show_result(self.bucket, self.reply, seen.plan, seen.ledger)
        self.reply.show(**facts)
        return status


def show_result(
    bucket: OpenBucket, reply: Reply, plan: Plan, ledger: Ledger
) -> tuple[int, dict[str, object]]:
    """Tell where the result is, how many rows ended how, and its first rows.

    Returns:
        The exit status, and the same as facts.
    """
    place = _place(bucket, ledger.result_key)
    header, rows = first_rows(bucket.store, plan, ledger)
    facts: dict[str, object] = {"job": ledger_facts(ledger), "result": place, "columns": header, "rows": rows}
    tokens = ledger.tokens.total
    reply.tell(
        said("run_done", rows=ledger.rows_out, counts=counts(ledger), tokens=tokens, result=named(place))
    )
    if header and not reply.is_json:
        reply.tell(shown_rows(header, rows))
    if ledger.by_status.get(RowStatus.ANSWERED.value, 0) == ledger.rows_out:
        return DONE, facts
    reply.tell(said("run_has_open_rows", job=ledger.job_id))
    return HAS_FAILED_ROWS, facts


def _place(bucket: OpenBucket, key: str) -> str:
    return str(bucket.folder / key) if bucket.folder else f"oss://{bucket.name}/{key}"
