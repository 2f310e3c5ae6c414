"""One attempt's answers on local disk, found by ``custom_id``: providers keep no order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType

from shared.results.columns import WHOLE_REASONS, Answer, RowStatus, cut_off
from shared.results.replies.learnt_forms import LearntForms, PlainAnswer
from shared.results.replies.result_lines import parse_result_line
from shared.results.spool.contradictions import DOUBTFUL, Render, holds_more, is_better, with_other_line
from shared.results.spool.row_ids import RowIds
from shared.results.spool.row_kinds import AGAIN, ANSWERED, BOTH, NOTHING, UNREADABLE, kind_of
from shared.results.spool.row_texts import RowTexts
from shared.results.spool.unreadable_lines import Unread, UnreadableLines
from shared.results.spool.usage_count import UsageCount

_MAX_OTHER_LINES = 20  # each writes the row anew, so any number of them would take too long
_NOTHING_TOLD = ("", "")


class AnswerSpool:
    """Holds a few numbers a row in memory and everything else in a temporary file.

    An answer is kept as it stands in the result. A refusal is kept as it was read, since the
    verdict on the whole batch may change it.

    Of a repeated id the first answer wins, but a plain one over one that is empty or came with an
    error, an answer over a refusal, and a refusal for good over one that is sent again. Lines that
    cannot be read are kept for the rows that they name, also beside a refusal. What other lines say
    of an answered row stands beside its answer; after ``_MAX_OTHER_LINES``, whole lines are kept as
    if they named no row.

    Attributes:
        usage: Of all lines, whether they count or not.
        has_lost_files: Not all that the provider has could be read.

    Args:
        asked: The ids of the rows that were sent.
        render: Makes bytes of answers.
        keep: Takes what stands in none of these rows.
        tiers: As of ``UsageCount``.
    """

    def __init__(
        self,
        asked: Iterable[str],
        render: Render,
        keep: Callable[[bytes], None],
        tiers: Sequence[int | None] = (),
    ) -> None:
        self._render = render
        self._keep_unmatched = keep
        self._forms = LearntForms(render, render.text)
        # Before the file: if the rows cannot be read, it would stay open.
        self._ids = RowIds(asked)
        self._texts = RowTexts(len(self._ids.asked))
        self._kinds = bytearray(len(self._ids.asked))
        self._told: dict[int, tuple[str, str]] = {}
        self._others: Counter[int] = Counter()
        self._answers_differ = False
        self._unreadable = UnreadableLines(self._ids)
        self.usage = UsageCount(tiers)
        self._plain_up_to = self.usage.plain_up_to
        self._prompt = self._completion = self._total = 0
        self.has_lost_files = False
        self.unmatched_lines = 0
        self.repeated_ids = 0

    def __enter__(self) -> AnswerSpool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._texts.close()

    @property
    def asked(self) -> Sequence[str]:
        return self._ids.asked

    @property
    def found(self) -> int:
        """How many of the asked ids have a line that can be read, whatever it says."""
        return len(self._kinds) - self._kinds.count(NOTHING) - self._kinds.count(UNREADABLE)

    @property
    def unreadable_lines(self) -> int:
        return self._unreadable.count

    @property
    def has_strays(self) -> bool:
        """Whether a row without a line may have one that stands elsewhere, as in another row."""
        return bool(self.unmatched_lines or self.unreadable_lines or self._answers_differ)

    def add_lines(self, lines: Iterable[bytes]) -> None:
        try:
            self._add_each(lines)
        finally:  # what came before a reading broke off is kept
            self._take_unread(self._unreadable.end())
            self.usage.add_plain(self._prompt, self._completion, self._total)
            self._prompt = self._completion = self._total = 0

    def _add_each(self, lines: Iterable[bytes]) -> None:
        exactly, forms, unreadable = self._ids.exactly, self._forms, self._unreadable
        for line in lines:
            plain = forms.read(line)
            if plain and self._take_plain(plain):
                continue
            answer = parse_result_line(line)
            if answer is None:
                self._take_unread(unreadable.add(line))
                continue
            if unreadable.waiting:
                self._take_unread(unreadable.end())
            index = exactly(answer[0])  # custom_id; a name takes longer, and this is for every line
            if index is None:
                self._take_loosely(answer, line)
            else:
                self._take(index, answer, line)
            if plain is None and answer[1] is RowStatus.ANSWERED:  # status
                forms.learn(line, answer)

    def _take_plain(self, plain: PlainAnswer) -> bool:
        """As ``_take`` has it; ``False`` if it is not the first line of a row."""
        custom_id, rendered, cut_off, is_thought, prompt, completion, total, thinking, cached = plain
        if self._unreadable.waiting:
            self._take_unread(self._unreadable.end())
        index = self._ids.exactly(custom_id)
        if index is None or self._kinds[index]:
            return False
        self._kinds[index] = ANSWERED
        is_odd = is_thought or thinking or cached or total > prompt + completion
        if is_odd or prompt > self._plain_up_to:
            self.usage.add(prompt, completion, total, thinking, cached, is_thought=is_thought)
        else:  # in place, since to call something takes longer, and this is for every line
            self._prompt += prompt
            self._completion += completion
            self._total += total
        if cut_off:
            self._told[index] = ("", cut_off)
        self._texts.put(index, rendered)
        return True

    def _take_unread(self, found: Iterable[Unread]) -> None:
        for answer, piece in found:
            if answer is None:
                self._set_aside(piece)
            else:
                self._take_loosely(answer, piece)

    def _take_loosely(self, answer: Answer, line: bytes) -> None:
        index = self._ids.find(answer.custom_id)
        if index is None:
            self._set_aside(line)
        else:
            self._take(index, answer._replace(custom_id=self._ids.asked[index]), line)

    def _set_aside(self, line: bytes) -> None:
        self.unmatched_lines += 1
        self._keep_unmatched(line)

    def _take(self, index: int, answer: Answer, line: bytes) -> None:
        kind, known = kind_of(answer), self._kinds[index]
        if not known:
            self._kinds[index] = kind
            self._add(index, answer)
            return
        self.repeated_ids += 1
        if kind <= known and self._others[index] >= _MAX_OTHER_LINES:
            self._set_aside(line)
        elif ANSWERED in (kind, known):
            self._contradict(index, answer)
        else:
            self._refuse_again(index, kind, answer)

    def _refuse_again(self, index: int, kind: int, answer: Answer) -> None:
        known, kept = self._kinds[index], Answer.from_line(self._texts.get(index))
        first, other = (answer, kept) if kind > known else (kept, answer)
        if holds_more(other, first) and (amended := with_other_line(first, other)) != first:
            self._others[index] += 1
            self.usage.add_answer(answer)
            self._texts.put(index, amended.to_line())
        elif kind > known:
            self._add(index, answer)
        self._kinds[index] = max(kind, known)
        if {kind, known} == {AGAIN, UNREADABLE}:
            self._kinds[index] = BOTH

    def _contradict(self, index: int, answer: Answer) -> None:
        """Of an answered row there is one more line, or of another row there is the answer now."""
        other, kept = answer, self._kept(index)
        if kept and is_better(answer, kept):
            other = kept
            self._kinds[index] = ANSWERED
            self._told.pop(index, None)
            self._texts.forget_beside(index)
            self._add(index, answer)
        if (told := self._render.beside(self._texts.get(index), other)) is None:
            return
        self._others[index] += 1
        if other is answer:
            self.usage.add_answer(answer)
        if doubtful := self._kept(index):
            self._texts.put_beside(index, with_other_line(doubtful, other).to_line())
        content, unread = told
        self._answers_differ |= unread == "answers_differ"
        self._told[index] = (unread, self._told.get(index, _NOTHING_TOLD)[1])
        self._texts.put(index, content)

    def _add(self, index: int, answer: Answer) -> None:
        self.usage.add_answer(answer)
        if self._kinds[index] == ANSWERED:
            content, unread = self._render(answer)
            if answer.error_code in DOUBTFUL:
                self._texts.put_beside(index, answer.to_line())
            if unread or answer.finish_reason not in WHOLE_REASONS:
                self._told[index] = (unread, cut_off(answer.finish_reason))
        else:
            content = answer.to_line()
        self._texts.put(index, content)

    def unanswered(self) -> Sequence[int]:
        return [index for index, kind in enumerate(self._kinds) if kind != ANSWERED]

    def is_answered(self, index: int) -> bool:
        return self._kinds[index] == ANSWERED

    def rendered(self, index: int) -> tuple[bytes, str, str]:
        """An answered row as in the result, its code and its finish reason if these are odd."""
        unread, cut_off = self._told.get(index, _NOTHING_TOLD)
        return self._texts.get(index), unread, cut_off

    def told(self, index: int) -> tuple[str, str]:
        """Of an answered row the last two alone."""
        return self._told.get(index, _NOTHING_TOLD)

    def reason(self, index: int) -> Answer | None:
        """What the provider says of a row that it did not answer; ``None`` if nothing."""
        return Answer.from_line(self._texts.get(index)) if self._kinds[index] else None

    def _kept(self, index: int) -> Answer | None:
        """What was read of the row, if that is no plain answer."""
        if self._kinds[index] != ANSWERED:
            return self.reason(index)
        doubtful = self._texts.beside(index)
        return Answer.from_line(doubtful) if doubtful else None
