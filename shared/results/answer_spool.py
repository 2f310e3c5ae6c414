"""One attempt's answers on local disk, found by ``custom_id``: providers keep no order."""

from __future__ import annotations

import tempfile
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType

from shared.bucket.money import TokenCounts
from shared.bucket.records.usage import Tokens
from shared.formats.sizes import MIB
from shared.formats.write_blocks import TextsInFile
from shared.results.columns import WHOLE_REASONS, Answer, RowStatus, cut_off
from shared.results.contradictions import DOUBTFUL, Render, holds_more, is_better, with_other_line
from shared.results.replies.learnt_forms import LearntForms, PlainAnswer
from shared.results.replies.result_lines import (
    UNREADABLE,
    is_object,
    kept_unreadable,
    parse_result_line,
    says_nothing,
)
from shared.results.row_ids import RowIds
from shared.results.usage_count import UsageCount

# What is known of a row; of two lines the one counts that is further behind. A row that may be paid
# for, as one whose line cannot be read, must not be sent again for the other line: ``_BOTH``.
_NOTHING, _AGAIN, _UNREADABLE, _BOTH, _REASON, _ANSWERED = range(6)
_MAX_UNREADABLE_BYTES = 16 * MIB
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
        uncounted: Answers of which no tokens are told.
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
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # closed by __exit__
        self._texts = TextsInFile(self._file)
        rows = len(self._ids.asked)
        self._kinds = bytearray(rows)
        self._starts = array("Q", bytes(8 * rows))
        self._lengths = array("Q", bytes(8 * rows))
        self._told: dict[int, tuple[str, str]] = {}
        self._others: Counter[int] = Counter()
        self._doubtful: dict[int, tuple[int, int]] = {}  # where they stand as they were read
        self._answers_differ = False
        self._unreadable = bytearray()
        self._usage = UsageCount(tiers)
        self._plain_up_to = self._usage.plain_up_to
        self._prompt = self._completion = self._total = 0
        self.uncounted = 0
        self.has_lost_files = False
        self.unmatched_lines = 0
        self.repeated_ids = 0
        self.unreadable_lines = 0

    def __enter__(self) -> AnswerSpool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def asked(self) -> Sequence[str]:
        return self._ids.asked

    @property
    def found(self) -> int:
        """How many of the asked ids have a line that can be read, whatever it says."""
        return len(self._kinds) - self._kinds.count(_NOTHING) - self._kinds.count(_UNREADABLE)

    @property
    def has_strays(self) -> bool:
        """Whether a row without a line may have one that stands elsewhere, as in another row."""
        return bool(self.unmatched_lines or self.unreadable_lines or self._answers_differ)

    @property
    def tokens(self) -> Tokens:
        return self._usage.tokens

    @property
    def charged(self) -> tuple[TokenCounts, ...]:
        return self._usage.charged

    def add_lines(self, lines: Iterable[bytes]) -> None:
        try:
            self._add_each(lines)
        finally:  # what came before a reading broke off is kept
            self._end_unreadable()
            self._usage.add_plain(self._prompt, self._completion, self._total)
            self._prompt = self._completion = self._total = 0

    def _add_each(self, lines: Iterable[bytes]) -> None:
        exactly, forms = self._ids.exactly, self._forms
        for line in lines:
            plain = forms.read(line)
            if plain and self._take_plain(plain):
                continue
            answer = parse_result_line(line)
            if answer is None:
                self._keep_unreadable(line)
                continue
            if self._unreadable:
                self._end_unreadable()
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
        if self._unreadable:
            self._end_unreadable()
        index = self._ids.exactly(custom_id)
        if index is None or self._kinds[index]:
            return False
        self._kinds[index] = _ANSWERED
        is_odd = is_thought or thinking or cached or total > prompt + completion
        if is_odd or prompt > self._plain_up_to:
            self._usage.add(prompt, completion, total, thinking, cached, is_thought=is_thought)
        else:  # in place, since to call something takes longer, and this is for every line
            self._prompt += prompt
            self._completion += completion
            self._total += total
        if cut_off:
            self._told[index] = ("", cut_off)
        self._keep(index, rendered)
        return True

    def _keep_unreadable(self, line: bytes) -> None:
        """A text with a raw line end in it is several lines, so what is adjacent stays together."""
        if says_nothing(line):
            return
        self.unreadable_lines += 1
        is_alone = is_object(line)
        if is_alone:
            self._end_unreadable()
        self._unreadable += line + b"\n"
        if is_alone or len(self._unreadable) > _MAX_UNREADABLE_BYTES:
            self._end_unreadable()

    def _end_unreadable(self) -> None:
        lines = bytes(self._unreadable[:-1])
        self._unreadable.clear()
        kept = [*kept_unreadable(lines, self._ids)]
        for answer in kept:
            self._take_loosely(answer, answer.extra.encode())  # its row's piece alone
        if lines and not kept:
            self._set_aside(lines)

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
        kind, known = _kind_of(answer), self._kinds[index]
        if not known:
            self._kinds[index] = kind
            self._add(index, answer)
            return
        self.repeated_ids += 1
        if kind <= known and self._others[index] >= _MAX_OTHER_LINES:
            self._set_aside(line)
        elif _ANSWERED in (kind, known):
            self._contradict(index, answer)
        else:
            self._refuse_again(index, kind, answer)

    def _refuse_again(self, index: int, kind: int, answer: Answer) -> None:
        known, kept = self._kinds[index], Answer.from_line(self._content(index))
        first, other = (answer, kept) if kind > known else (kept, answer)
        if holds_more(other, first) and (amended := with_other_line(first, other)) != first:
            self._others[index] += 1
            self._count(answer)
            self._keep(index, amended.to_line())
        elif kind > known:
            self._add(index, answer)
        self._kinds[index] = max(kind, known)
        if {kind, known} == {_AGAIN, _UNREADABLE}:
            self._kinds[index] = _BOTH

    def _contradict(self, index: int, answer: Answer) -> None:
        """Of an answered row there is one more line, or of another row there is the answer now."""
        other, kept = answer, self._kept(index)
        if kept and is_better(answer, kept):
            other = kept
            self._kinds[index] = _ANSWERED
            self._told.pop(index, None)
            self._doubtful.pop(index, None)
            self._add(index, answer)
        if (told := self._render.beside(self._content(index), other)) is None:
            return
        self._others[index] += 1
        if other is answer:
            self._count(answer)
        if doubtful := self._kept(index):
            self._doubtful[index] = self._texts.add(with_other_line(doubtful, other).to_line())
        content, unread = told
        self._answers_differ |= unread == "answers_differ"
        self._told[index] = (unread, self._told.get(index, _NOTHING_TOLD)[1])
        self._keep(index, content)

    def _add(self, index: int, answer: Answer) -> None:
        self._count(answer)
        if self._kinds[index] == _ANSWERED:
            content, unread = self._render(answer)
            if answer.error_code in DOUBTFUL:
                self._doubtful[index] = self._texts.add(answer.to_line())
            if unread or answer.finish_reason not in WHOLE_REASONS:
                self._told[index] = (unread, cut_off(answer.finish_reason))
        else:
            content = answer.to_line()
        self._keep(index, content)

    def _count(self, answer: Answer) -> None:
        self._usage.add_answer(answer)
        if not (answer.total_tokens or answer.prompt_tokens) and answer.status is RowStatus.ANSWERED:
            self.uncounted += 1

    def _keep(self, index: int, content: bytes) -> None:
        self._starts[index], self._lengths[index] = self._texts.add(content)

    def unanswered(self) -> Sequence[int]:
        return [index for index, kind in enumerate(self._kinds) if kind != _ANSWERED]

    def is_answered(self, index: int) -> bool:
        return self._kinds[index] == _ANSWERED

    def rendered(self, index: int) -> tuple[bytes, str, str]:
        """An answered row as in the result, its code and its finish reason if these are odd."""
        unread, cut_off = self._told.get(index, _NOTHING_TOLD)
        return self._content(index), unread, cut_off

    def told(self, index: int) -> tuple[str, str]:
        """Of an answered row the last two alone."""
        return self._told.get(index, _NOTHING_TOLD)

    def reason(self, index: int) -> Answer | None:
        """What the provider says of a row that it did not answer; ``None`` if nothing."""
        return Answer.from_line(self._content(index)) if self._kinds[index] else None

    def _kept(self, index: int) -> Answer | None:
        """What was read of the row, if that is no plain answer."""
        if self._kinds[index] != _ANSWERED:
            return self.reason(index)
        return Answer.from_line(self._texts.read(*self._doubtful[index])) if index in self._doubtful else None

    def _content(self, index: int) -> bytes:
        return self._texts.read(self._starts[index], self._lengths[index])


def _kind_of(answer: Answer) -> int:
    if answer[1] is RowStatus.ANSWERED:  # status; by its place for the same reason
        return _ANSWERED
    if answer.retryable:
        return _AGAIN
    return _UNREADABLE if answer.error_code == UNREADABLE else _REASON
