"""Every row of a shard in which none is open any more, with what it gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from shared.pipeline.collect.rows.shard_rows import ShardRows
from shared.results.kept_rows import OriginalRow
from shared.results.lent.lent_answers import LentAnswers
from shared.results.lent.reused_answers import ReusedAnswers
from shared.results.rendering import AnswerRenderer, SettledAnswer


@dataclass(frozen=True)
class PartRows:
    """The rows in input order.

    Attributes:
        rows: As they stood before the last attempt.
        settle: What a row gets that this attempt has sent, by its id, its place among these, and
            the answer that it had before.
        render: Makes bytes of the reasons of rows that were not sent.
        borrowed: What a row gets that has a lender in another shard.
    """

    rows: ShardRows
    settle: Callable[[str, int, SettledAnswer | None], SettledAnswer | None]
    render: AnswerRenderer
    borrowed: Callable[[OriginalRow], SettledAnswer] | None = None

    def __iter__(self) -> Iterator[tuple[OriginalRow, SettledAnswer | None]]:
        """``None``, or an answer with ``misfits``: the row is open."""
        lenders = self.rows.lent_places()
        with LentAnswers() as lent, ReusedAnswers(self.rows.plan) as reused:
            reused.keep(self.rows.reused_answers())
            place = asked = 0
            for row, earlier in self.rows.walk():
                settled = earlier
                if row.is_sent:
                    is_new = earlier is None or bool(earlier.misfits)
                    if is_new:
                        settled = self.settle(row.custom_id, asked, earlier)
                        asked += 1
                    if settled is not None and place in lenders:
                        lent.keep(place, settled if is_new else self._whole(settled))
                    place += 1
                elif not row.is_good:
                    settled = self.render.settled(row.own_answer())
                elif earlier is None:
                    settled = self._anothers(row, lent, reused)
                yield row, settled

    def _anothers(self, row: OriginalRow, lent: LentAnswers, reused: ReusedAnswers) -> SettledAnswer:
        """The answer of a row that was not sent, since another asks the same."""
        if row.reuses:
            return reused.answer_for(row)
        if self.borrowed and not isinstance(row.lender, int):
            return self._whole(self.borrowed(row))
        return lent.answer_for(row)

    def _whole(self, earlier: SettledAnswer) -> SettledAnswer:
        """With its finish reason, which was counted earlier, but for its own row alone."""
        return earlier._replace(cut_off=self.render.cut_off_in(earlier.rendered))
