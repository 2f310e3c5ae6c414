"""Reads plain answers whose lines have the form of an earlier one, and renders them at once.

A provider writes all lines of a batch alike: only texts and counts differ. So one plain answer
tells where those stand, in a line and in what is rendered of it. A next line with the same bytes in
between, a count in the place of each count and one JSON text in that of each text says the same of
another row. Any other line is left to the other readers.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter

from shared.formats.json.cells import CERTAINLY_WRITTEN
from shared.formats.json.quick import QuickJson
from shared.results.columns import Answer, cut_off
from shared.results.replies.line_forms import ODD, FormOfLine, Match, form_of

_MAX_FORMS = 8
_MAX_LEARNT_BYTES = 256 * 1024
# Most batches are small: for them it is not worth loading simdjson and compiling expressions.
_READ_BEFORE = 100
_CREDIT = 64  # by how many lines the forms may miss more than they meet

RenderText = Callable[[bytes], bytes | None]
# A row's id, its answer as it stands in the result, why that was cut off, whether its line has what
# the model thought, and its tokens: of the prompt, of the completion, in total, thought, cached. To
# make an object of them takes longer than to match a line.
PlainAnswer = tuple[str, bytes, str, bool, int, int, int, int, int]


class LearntForms:
    """The forms of the plain answers of one batch.

    Args:
        render: Makes what stands in the result of an answer.
        render_text: Makes what stands there of one JSON text, quotes included, whose first
            character is no white space and begins no formula; ``None`` if it cannot tell. Without
            it, nothing is learnt.
    """

    def __init__(self, render: Callable[[Answer], tuple[bytes, str]], render_text: RenderText | None) -> None:
        self._render = render
        self._render_text = render_text
        self._forms: list[_Form] = []
        self._credit = _CREDIT
        self._read_before = 0

    def read(self, line: bytes) -> PlainAnswer | None:
        """What the other readers and ``render`` would make of it; ``None`` if it has no form."""
        for form in self._forms:
            found = form.read(line)
            if found is not None:
                self._credit += 1
                return found
        return None

    def learn(self, line: bytes, answer: Answer) -> None:
        """Learn from a line that was read as this answer, if that is a plain one."""
        if self._render_text is None or not self._credit or answer.error_code or answer.extra:
            return
        self._read_before += 1
        if self._read_before < _READ_BEFORE:
            return
        self._credit -= 1
        if not self._credit:
            self._forms.clear()
        elif len(self._forms) < _MAX_FORMS and len(line) <= _MAX_LEARNT_BYTES:
            self._learn(line, answer, self._render_text)

    def _learn(self, line: bytes, answer: Answer, render_text: RenderText) -> None:
        try:
            known = form_of(line, self._render)
        except ODD:
            return
        if known:
            form = _Form(known, render_text)
            found = form.read(line)
            if found and found[1] == self._render(answer)[0]:
                self._forms.append(form)


class _Form:
    def __init__(self, known: FormOfLine, render_text: RenderText) -> None:
        self._first: Match = known.first
        self._others = known.others
        self._template = known.template
        self._shown = itemgetter(*known.shown)
        self._kept = itemgetter(*known.kept)
        self._thinking, self._cached, self._is_thought = known.thinking, known.cached, known.is_thought
        self._cut_off = cut_off(known.finish_reason)
        self._is_text = QuickJson().is_one_text
        self._render_text = render_text

    def read(self, line: bytes) -> PlainAnswer | None:
        match = self._first(line)
        if match is None:
            return None
        values: tuple[bytes, ...] = match.groups()
        at = match.end()
        for beginning, match_at in self._others:
            end = line.find(beginning, at)  # no JSON text holds it: it begins with a quote
            match = match_at(line, end) if end > at else None
            if match is None or line[at] not in _PLAIN_STARTS:
                return None
            text = line[at - 1 : end + 1]
            rendered = self._render_text(text) if self._is_text(text) else None
            if rendered is None:
                return None
            values += (rendered, *match.groups())
            at = match.end()
        if at < len(line):
            return None
        custom_id, prompt, completion, total = self._kept(values)
        row = self._template % self._shown(values)
        thinking = 0 if self._thinking is None else int(values[self._thinking])
        cached = 0 if self._cached is None else int(values[self._cached])
        counts = int(prompt), int(completion), int(total), thinking, cached
        return custom_id.decode(), row, self._cut_off, self._is_thought, *counts


# What begins no formula, whatever its width, and is certainly no white space.
_PLAIN_STARTS = CERTAINLY_WRITTEN - {*b"'=+-@", 0xEF}
