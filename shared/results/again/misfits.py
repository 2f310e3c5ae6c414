"""Tells which answers do not fit, so that their rows are asked again, and which is the best."""

from __future__ import annotations

from dataclasses import dataclass

from shared.bucket.records.ledger import MISFITS
from shared.bucket.records.plan import Plan
from shared.results.columns import ATTEMPTS, FILTERED, TOO_LONG, RowStatus
from shared.results.rendering import AnswerRenderer, SettledAnswer

_ANSWERED = RowStatus.ANSWERED.value
# What an answer is worth that does not fit, by its code: the more of it can be used, the more.
_WORTH = {"answer_does_not_fit": 4, "answer_not_json": 3, "model_refused": 1, "answer_empty": 1}
_CUT_OFF, _FITS_CUT, _FITS = 2, 5, 6
_DIFFER = "answers_differ"
_FINAL = frozenset({_DIFFER, "model_refused"})


@dataclass(frozen=True)
class Misfits:
    """Says it for the answers of one job.

    An answer fits if it is whole and the recipe's columns, if there are any, can be taken from it.
    What a filter has cut off, what the model has refused, and rows with two answers that differ are
    not asked again: the same would come of it.
    """

    has_columns: bool

    @classmethod
    def of(cls, plan: Plan) -> Misfits:
        return cls(bool(plan.answer_columns))

    def is_one(self, status: str, code: str, cut_off: str) -> bool:
        """Whether a row with this status, code and finish reason is asked again.

        One without an answer is, if all that it may have was thought.
        """
        reason = cut_off.lower()
        if reason in FILTERED or code in _FINAL:
            return False
        has_misfit = status == _ANSWERED and self.has_columns and code in MISFITS
        return has_misfit or reason in TOO_LONG

    def fits(self, settled: SettledAnswer, cut_off: str) -> bool:
        return settled.unread != _DIFFER and self.worth(settled, cut_off) == _FITS

    def worth(self, settled: SettledAnswer, cut_off: str) -> int:
        if settled.status != _ANSWERED:
            return 0
        if not self.has_columns:
            return _CUT_OFF if cut_off else _WORTH.get(settled.unread, _FITS)
        return _WORTH.get(settled.unread, _FITS_CUT if cut_off.lower() in TOO_LONG else _FITS)


@dataclass(frozen=True)
class Tries:
    """Decides what becomes of a row that has one more answer, or a reason for none.

    Attributes:
        times: How often a row is asked again at most; 0 if none is.
        may_ask: Nobody has cancelled it. What was kept before counts all the same.
        was_asked: It was sent in a batch that may have run; of another, a row with a line was.
    """

    misfits: Misfits
    render: AnswerRenderer
    times: int
    may_ask: bool
    was_asked: bool

    @classmethod
    def of(cls, plan: Plan, render: AnswerRenderer, *, may_ask: bool, was_asked: bool) -> Tries:
        return cls(Misfits.of(plan), render, plan.until_fits, may_ask, was_asked)

    def attempts_of(self, custom_id: str, *, has_line: bool) -> int | None:
        """How often the row was asked by now, if it was."""
        was_asked = self.was_asked or has_line
        return self.render.attempt_of(custom_id) - (not was_asked) or None

    def still(self, kept: SettledAnswer) -> SettledAnswer:
        """An answer to which there is no better one, though its row was asked once more."""
        if not self.was_asked:
            return kept
        attempts = {ATTEMPTS: self.render.attempt_of(kept.custom_id)}
        return kept._replace(rendered=self.render.rendering.amended(kept.rendered, attempts))

    def asks_again(self, earlier: int, status: str, code: str, cut_off: str) -> bool:
        """Whether it does, of a row with so many ``earlier`` answers that do not fit."""
        may_ask = self.may_ask and earlier < self.times
        return may_ask and self.misfits.is_one(status, code, cut_off)

    def after(self, kept: SettledAnswer | None, told: SettledAnswer) -> SettledAnswer:
        """What the row has now: settled, or, with its ``misfits``, to be asked again."""
        if not self.times:
            return told
        if kept is None and not (told.unread or told.cut_off) and told.status == _ANSWERED:
            return told._replace(fitted=self.render.attempt_of(told.custom_id))  # as nearly all are
        best, earlier = self._best(kept, told), kept.misfits if kept else 0
        if not self.asks_again(earlier, told.status, told.unread, told.cut_off):
            return best._replace(misfits=0, cuts=0)
        cuts = (kept.cuts if kept else 0) + (told.cut_off.lower() in TOO_LONG)
        return best._replace(misfits=earlier + 1, cuts=cuts)

    def _best(self, kept: SettledAnswer | None, told: SettledAnswer) -> SettledAnswer:
        """Of two that are worth the same the first, unless the next one could be longer."""
        does_fit = self.misfits.fits(told, told.cut_off)
        fitted = self.render.attempt_of(told.custom_id) if does_fit else 0
        told = told._replace(fitted=fitted)
        if kept is None:
            return told
        cut_off = self.render.cut_off_in(kept.rendered)
        more = self.misfits.worth(told, told.cut_off) - self.misfits.worth(kept, cut_off)
        if more > 0 or (more == 0 and told.status == _ANSWERED and told.cut_off.lower() in TOO_LONG):
            return told
        return self.still(kept)._replace(cut_off=cut_off)
