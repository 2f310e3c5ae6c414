"""What is wrong with the prompts of a recipe, by themselves or for the columns of a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from jinja2 import TemplateSyntaxError, meta

from shared.problems.exceptions import UserInputError
from shared.problems.messages.inputs.table import MEANT
from shared.problems.problem import Bilingual, Problem, Values
from shared.recipes.templates.column_names import (
    ColumnNames,
    expression_for,
    is_about_rows,
    near_column,
    used_columns,
)
from shared.recipes.templates.sandbox import Sandbox, TemplateFailed, guarded, parsed
from shared.recipes.templates.slips import misspelt_column, misspelt_columns, slip_hint

if TYPE_CHECKING:
    from shared.recipes.recipe import Recipe

_LISTED_COLUMNS = 30
# What people write themselves; the prompt of a task is ours.
_TEMPLATES = frozenset({"system", "prompt"})


@lru_cache(maxsize=16)  # each header that is tried asks again
def template_problems(source: str, field: str) -> tuple[Problem, ...]:
    """What is wrong with a template by itself, whatever the columns."""
    try:
        with guarded():
            tree = parsed(source)
            Sandbox().from_string(source)
    except TemplateSyntaxError as error:
        reason = error.message or ""
        if slip := misspelt_column(source):
            values: Values = {"template_line": slip.line, "reason": reason, "write": slip.write}
            return (Problem("template_name", field=field, found=slip.found, values=values),)
        values = {"template_line": error.lineno, "reason": reason}
        return (Problem("template_syntax", field=field, values=values),)
    except TemplateFailed as error:
        values = {"template_line": 1, "reason": str(error)}
        return (Problem("template_syntax", field=field, values=values),)
    if any(True for _ in meta.find_referenced_templates(tree)):
        return (Problem("template_refers", field=field),)
    return ()


def check_prompt(recipe: Recipe, columns: Sequence[str]) -> None:
    """Every column that the templates use must be in the header exactly once.

    Raises:
        UserInputError: A template is not valid, uses a column that is missing or ambiguous, or none
            uses any.
    """
    sources = {"system": recipe.system, recipe.asked_in: recipe.prompt}
    names = ColumnNames(columns)
    problems: list[Problem] = []
    for field, source in sources.items():
        if source is not None:
            problems.extend(template_problems(source, field) or _column_problems(source, field, names))
    if problems:
        raise UserInputError(problems)
    if not any(is_about_rows(source) for source in sources.values() if source):
        raise UserInputError([_without_column(recipe, names)])


def _without_column(recipe: Recipe, names: ColumnNames) -> Problem:
    slip = slip_hint(f"{recipe.prompt}\n{recipe.system or ''}", names)
    write = slip.write if slip else expression_for(["column", *names.known][-1])
    values: Values = {"hint": slip.hint if slip else "", "write": write, "columns": _listed(names)}
    return Problem("prompt_without_column", field="prompt", found=slip.found if slip else None, values=values)


def _column_problems(source: str, field: str, names: ColumnNames) -> Iterator[Problem]:
    used = used_columns(source)
    missing = {name for name in used if not names.find(name)}
    for slip in misspelt_columns(source, names):
        inside = used_columns(slip.found)
        if inside & missing:
            missing -= inside
            yield Problem("column_not_a_name", field=field, found=slip.found, values={"write": slip.write})
    for name in sorted(used):
        places = names.find(name)
        if name in missing:
            near = near_column(name, names.known)
            # Of several columns of a task only this one is wrong.
            of_task = near if len(used) > 1 else f"column: {near}"
            yield missing_column(
                name, field, near, expression_for(near) if field in _TEMPLATES else of_task, names
            )
        elif len(places) > 1:
            alike = ", ".join(names.columns[place] for place in places)
            values: Values = {"times": len(places), "columns": alike}
            yield Problem("duplicate_column", field=field, found=name, values=values)


def missing_column(name: str, field: str, near: str, write: str, names: ColumnNames) -> Problem:
    texts = (text.format(near=near, write=write) if near else "" for text in MEANT)
    values: Values = {"meant": Bilingual(*texts), "columns": _listed(names), "at": ""}
    return Problem("missing_column", field=field, found=name, values=values)


def _listed(names: ColumnNames) -> str:
    more = len(names.known) - _LISTED_COLUMNS
    listed = [column[:30] for column in names.known[:_LISTED_COLUMNS]]
    return ", ".join([*listed, f"… (+{more})"] if more > 0 else listed)
