"""Keeps the answers of a closed job for its retry."""

from __future__ import annotations

from collections import Counter

from shared.bucket.records.outcome import SettledShard
from shared.bucket.records.plan import Plan, PlannedShard
from shared.formats.lines import byte_lines
from shared.ports.store import ObjectStore
from shared.results.again.misfits import Misfits
from shared.results.columns import RowStatus
from shared.results.kept_rows import OriginalRow
from shared.results.rendering import settled_rows

_ANSWERED = RowStatus.ANSWERED.value


def keep_answers(
    store: ObjectStore, closed: Plan, shard: PlannedShard, settled: SettledShard, key: str
) -> tuple[int, int, Counter[str]]:
    """Write them under ``key``.

    Returns how many there are, how many are of rows that were sent, and which were cut off.
    """
    rows = map(OriginalRow.from_line, byte_lines(store.read(shard.rows_key)))
    part = store.read(settled.part_key)
    found, own, cut_off, misfits = 0, 0, Counter[str](), Misfits.of(closed)
    with store.open_writer(key) as writer:
        for row, answer in settled_rows(closed, shard.shard, rows, part):
            if answer.status != _ANSWERED or not row.is_good:
                continue
            is_fit = misfits.fits(answer, answer.cut_off)
            writer.write((answer if is_fit else answer._replace(fitted=0)).to_line())
            found += 1
            own += row.is_sent
            cut_off.update(filter(None, [answer.cut_off]))
        writer.commit()
    return found, own, cut_off
