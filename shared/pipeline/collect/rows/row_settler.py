"""What each row of an ended batch gets, or whether it is sent or asked again."""

from __future__ import annotations

from dataclasses import dataclass

from shared.pipeline.collect.rows.verdict import BatchVerdict
from shared.results.again.misfits import Tries
from shared.results.columns import Answer, RowStatus
from shared.results.rendering import AnswerRenderer, SettledAnswer
from shared.results.spool.answer_spool import AnswerSpool

_ANSWERED = RowStatus.ANSWERED.value


@dataclass(frozen=True)
class RowSettler:
    """Settles single rows by what was read of them and what the batch as a whole says.

    An ``index`` counts the rows that were sent, from 0, in the order of the request lines; by it,
    ``answers`` says how many a row had before that do not fit.
    """

    spool: AnswerSpool
    verdict: BatchVerdict
    tries: Tries
    answers: bytearray

    @property
    def render(self) -> AnswerRenderer:
        return self.tries.render

    def open_rows(self) -> int:
        """How many rows go into the next attempt."""
        if self.tries.times:
            return sum(map(self._is_open, range(len(self.spool.asked))))
        asked = self.spool.asked
        return sum(self._reason(asked[index], index) is None for index in self.spool.unanswered())

    def settle(self, custom_id: str, index: int, before: SettledAnswer | None = None) -> SettledAnswer | None:
        """The row's final answer; ``None``, or one with ``misfits``, if it is open.

        No verdict changes an answer. The row had the one ``before``.
        """
        if self.spool.is_answered(index):
            content, unread, cut_off = self.spool.rendered(index)
            told = SettledAnswer(custom_id, _ANSWERED, unread, content, cut_off)
        else:
            reason = self._reason(custom_id, index)
            if reason is None:
                return before and self.tries.still(before)
            if self.tries.times:
                has_line = self.spool.reason(index) is not None
                reason = reason._replace(attempts=self.tries.attempts_of(custom_id, has_line=has_line))
            told = self.render.settled(reason)
        # For most jobs one call less for each row.
        return self.tries.after(before, told) if self.tries.times else told

    def _is_open(self, index: int) -> bool:
        earlier = self.answers[index]
        if self.spool.is_answered(index):
            return self.tries.asks_again(earlier, _ANSWERED, *self.spool.told(index))
        reason = self._reason(self.spool.asked[index], index)
        return reason is None or self.tries.asks_again(
            earlier, reason.status.value, reason.error_code, reason.finish_reason
        )

    def _reason(self, custom_id: str, index: int) -> Answer | None:
        said = self.spool.reason(index)
        return self.verdict.settle(custom_id, index + 1, said, answers=self.answers[index])
