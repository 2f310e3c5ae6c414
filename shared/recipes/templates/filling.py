"""Fills one template with the cells of a row, within the bounds of its length and its work."""

from __future__ import annotations

from collections.abc import Mapping

from jinja2 import Template

from shared.formats.sizes import MB
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, Values
from shared.recipes.templates import meter
from shared.recipes.templates.sandbox import TemplateFailed, guarded

# More than any provider takes in a line. It stops a template that makes gigabytes of a short cell.
MAX_PROMPT_CHARS = 6 * MB
# What programs leave in an empty cell: byte order marks, and spaces without a width.
UNSEEN = ("\u200b", "\ufeff", "\u2060")
_WITHOUT_UNSEEN = dict.fromkeys(map(ord, UNSEEN))


def filled(template: Template, field: str, variables: Mapping[str, object], paid_by: meter.Meter) -> str:
    """The prompt.

    Raises:
        UserInputError: The template failed on these cells, took too much work, or made nothing or
            too much of them.
    """
    try:
        text = _filled(template, field, variables)
    except TemplateFailed as error:
        raise UserInputError([_problem(error, field, paid_by)]) from error
    if not text.strip() or (text.lstrip()[0] in UNSEEN and not text.translate(_WITHOUT_UNSEEN).strip()):
        raise UserInputError([Problem("empty_prompt", field=field)])
    return text


def _filled(template: Template, field: str, variables: Mapping[str, object]) -> str:
    pieces: list[str] = []
    size = 0
    with guarded():
        for piece in template.generate(variables):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_PROMPT_CHARS:
                values: Values = {"max_chars": MAX_PROMPT_CHARS}
                raise UserInputError([Problem("prompt_too_long", field=field, values=values)])
    return "".join(pieces)


def _problem(error: TemplateFailed, field: str, paid_by: meter.Meter) -> Problem:
    if not isinstance(error.__cause__, meter.TooMuchWork):
        return Problem("template_failed", field=field, values={"reason": str(error)})
    if paid_by.is_file_spent:
        return Problem("templates_too_slow", field=field, values={"max_steps": meter.MAX_FILE_STEPS})
    return Problem("template_too_slow", field=field, values={"max_steps": meter.MAX_ROW_STEPS})
