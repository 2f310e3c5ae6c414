"""Renders problems for people, in Chinese and English: the place, the text and the code.

Each text says what is wrong, what was found and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from shared.problems.escapes import escaped_line
from shared.problems.messages.inputs.encoding import ENCODING_MESSAGES
from shared.problems.messages.inputs.file import FILE_MESSAGES
from shared.problems.messages.inputs.request import REQUEST_MESSAGES
from shared.problems.messages.inputs.table import TABLE_MESSAGES
from shared.problems.messages.job import JOB_MESSAGES
from shared.problems.messages.money import MONEY_MESSAGES
from shared.problems.messages.page import PAGE_MESSAGES
from shared.problems.messages.provider import PROVIDER_MESSAGES
from shared.problems.messages.recipes.choice import CHOICE_MESSAGES
from shared.problems.messages.recipes.prompt import PROMPT_MESSAGES
from shared.problems.messages.recipes.recipe import RECIPE_MESSAGES
from shared.problems.messages.recipes.writing import WRITING_MESSAGES
from shared.problems.messages.row import ROW_MESSAGES
from shared.problems.parser_words import in_chinese
from shared.problems.problem import Bilingual, Problem, Repeated

Language = Literal["zh", "en"]

QUOTED_CHARS = 80
LISTED_CHARS = 600

MESSAGES = {
    **FILE_MESSAGES,
    **ENCODING_MESSAGES,
    **TABLE_MESSAGES,
    **PROMPT_MESSAGES,
    **WRITING_MESSAGES,
    **RECIPE_MESSAGES,
    **CHOICE_MESSAGES,
    **REQUEST_MESSAGES,
    **JOB_MESSAGES,
    **ROW_MESSAGES,
    **PROVIDER_MESSAGES,
    **PAGE_MESSAGES,
    **MONEY_MESSAGES,
}


def render_problem(problem: Problem, language: Language) -> str:
    """One line of text: where, what is wrong and what to do, and the code."""
    return _rendered(problem, [problem.line] if problem.line else [], 1, language)


def render_repeated(repeated: Repeated, language: Language) -> str:
    """The same for problems that differ only in their line: the first lines, and how many more."""
    return _rendered(repeated.problem, repeated.lines, repeated.count, language)


def _rendered(problem: Problem, lines: Sequence[int], count: int, language: Language) -> str:
    values = {name: _shown(name, value, language) for name, value in problem.values.items()}
    where = _where(problem, lines, count, language)
    found = quote(problem.found or "")
    message = MESSAGES[problem.code]
    if language == "zh":
        return f"{where}{message.zh.format(found=found, **values)}[{problem.code}]"
    text = _continued(message.en) if where else message.en
    return f"{where}{text.format(found=found, **values)} [{problem.code}]"


def render_both(problem: Problem) -> str:
    """Both languages on one line, where there is no room for two."""
    return f"{render_problem(problem, 'zh')} / {render_problem(problem, 'en')}"


def _shown(name: str, value: str | int | Bilingual, language: Language) -> str | int:
    if isinstance(value, Bilingual):
        value = value.zh if language == "zh" else value.en
    elif name == "reason" and language == "zh":
        value = in_chinese(str(value))
    return _visible(value, LISTED_CHARS) if isinstance(value, str) else value


def quote(text: str) -> str:
    """At most 80 characters of the input, with invisible ones written as escapes."""
    return _visible(text, QUOTED_CHARS)


def _continued(sentence: str) -> str:
    """The sentence after a colon: in lower case unless it begins with an abbreviation."""
    return sentence if sentence[1:2].isupper() else sentence[:1].lower() + sentence[1:]


def _visible(text: str, max_chars: int) -> str:
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text[: max_chars + 1]
    )
    return shown if len(shown) <= max_chars else shown[: max_chars - 1] + "…"


def _where(problem: Problem, lines: Sequence[int], count: int, language: Language) -> str:
    field = quote(problem.field) if problem.field else None
    file = escaped_line(problem.file) if problem.file else None
    if language == "zh":
        place = " ".join(part for part in (file, _lines_zh(lines, count), field) if part)
        return f"{place}：" if place else ""
    line = _lines_en(lines, count)
    line = line.lower() if file else line
    place = ", ".join(part for part in (file, line, field) if part)
    return f"{place}: " if place else ""


def _lines_zh(lines: Sequence[int], count: int) -> str:
    if not lines:
        return ""
    more = f"等共 {count} 行" if count > len(lines) else ""
    return f"第 {'、'.join(map(str, lines))} 行{more}"


def _lines_en(lines: Sequence[int], count: int) -> str:
    if len(lines) < 2:
        return f"Line {lines[0]}" if lines else ""
    *some, last = map(str, lines)
    if count > len(lines):
        return f"Lines {', '.join([*some, last])} and {count - len(lines)} more"
    return f"Lines {', '.join(some)} and {last}"
