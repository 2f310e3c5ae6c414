"""Prompt templates: Jinja2 in a sandbox, over the columns of a table.

Cells are values of variables and never template source: a cell that holds ``{{`` is only text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateSyntaxError, meta, nodes

from shared.formats.json.cells import escape, escaped_cells
from shared.problems.exceptions import UserInputError
from shared.problems.messages.inputs.table import MEANT
from shared.problems.problem import Bilingual, Problem, Values
from shared.recipes.templates.column_names import (
    ROW,
    ColumnNames,
    expression_for,
    handled_columns,
    is_about_rows,
    near_column,
    used_columns,
)
from shared.recipes.templates.empty_cells import EmptyCells
from shared.recipes.templates.filling import MAX_PROMPT_CHARS, filled
from shared.recipes.templates.meter import NAME_STEPS, Meter
from shared.recipes.templates.plain_prompts import PlainPrompt, plain_prompt
from shared.recipes.templates.sandbox import Sandbox, TemplateFailed, guarded, parsed
from shared.recipes.templates.slips import misspelt_column, misspelt_columns, slip_hint
from shared.recipes.templates.warnings import name_warnings

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


class PromptTemplate:
    """A recipe's compiled prompts for files with one header.

    Attributes:
        warnings: Of columns whose names stand where they are not replaced by the cells.
        empty: The empty cells in the columns that they put in without asking whether there are any.
    """

    def __init__(self, recipe: Recipe, columns: Sequence[str]) -> None:
        system, prompt = recipe.system, recipe.prompt
        sandbox = Sandbox()
        self._meter = sandbox.meter
        self._names = ColumnNames(columns)
        sources = (system or "", prompt)
        trees = [*map(parsed, sources)]
        used = set[str]().union(*map(used_columns, sources))
        self._used = {name: places[0] for name in sorted(used) if (places := self._names.find(name))}
        self._aliases = [
            (name, place) for name, place in self._used.items() if name not in self._names.places
        ]
        handled = {
            place for tree in trees for name in handled_columns(tree) for place in self._names.find(name)
        }
        needed = sorted({*self._used.values()} - handled)
        self.empty = EmptyCells({columns[place]: place for place in needed}, recipe.on_empty)
        self.warnings = tuple(name_warnings(recipe, self._names, self.used_places))
        self._system = None if system is None else sandbox.from_string(system)
        self._prompt = sandbox.from_string(prompt)
        self._plain_system = None if system is None else self._plain(trees[0])
        self._plain_prompt = self._plain(trees[1])
        self._is_plain = self._plain_prompt is not None and (system is None or self._plain_system is not None)

    @property
    def is_spent(self) -> bool:
        """Whether the templates have had all the work that they may cost a file."""
        return self._meter.is_file_spent

    @property
    def used_places(self) -> frozenset[int]:
        """The columns that are put in, by their places in the header."""
        return frozenset(self._used.values())

    def places_of(self, name: str) -> Sequence[int]:
        """The columns that a name may mean; good is exactly one."""
        return self._names.find(name)

    def missing_of(
        self, names: Sequence[str], field: str, setting: Callable[[Sequence[str]], str]
    ) -> list[Problem]:
        """The problems of a list of columns, some of which the header does not have."""
        near = {name: near_column(name, self._names.known) for name in names if not self._names.find(name)}
        write = setting([near.get(name) or name for name in names])
        return [_missing(name, field, meant, write, self._names) for name, meant in near.items()]

    def _plain(self, tree: nodes.Template) -> PlainPrompt | None:
        return plain_prompt(tree, self._used, ROW, MAX_PROMPT_CHARS, self.empty)

    def render_escaped(self, cells: Sequence[str]) -> tuple[bytes | None, bytes]:
        """``render`` as the inside of JSON strings; much faster where cells are only put in.

        Raises:
            UserInputError: As ``render``.
            UnicodeEncodeError: A prompt holds half of a surrogate pair.
        """
        if self._plain_prompt is not None and self._is_plain:
            escaped = escaped_cells(cells)
            prompt = self._plain_prompt.fill(escaped)
            system = None if self._plain_system is None else self._plain_system.fill(escaped)
            if prompt is not None and (system is None) == (self._plain_system is None):
                return system, prompt
        self.empty.suspect(cells)
        made, text = self.render(cells)
        return None if made is None else escape(made), escape(text)

    def fill_all(self, rows: Sequence[Sequence[bytes]]) -> tuple[bytes | None, Sequence[bytes]] | None:
        """The system prompt of all rows, and the prompt of each, as ``render_escaped`` has them.

        ``None`` if one row may have another system prompt, none, or an empty cell.
        """
        if self._plain_prompt is None or not self._is_plain:
            return None
        system = None if self._plain_system is None else self._plain_system.fixed
        prompts = self._plain_prompt.fill_all(rows)
        if prompts is None or (system is None) != (self._plain_system is None):
            return None
        return system, prompts

    def render(self, cells: Sequence[str]) -> tuple[str | None, str]:
        """The system prompt, if the recipe has one, and the prompt for one row.

        Raises:
            UserInputError: The template failed on these cells, or made nothing or too much of them.
        """
        self._meter.start_row()
        row = _Row(tuple(cells), self._names, self._meter)
        variables = {**row, ROW: MappingProxyType(row)}
        for name, place in self._aliases:
            variables[name] = row.cells[place]
        system = None if self._system is None else filled(self._system, "system", variables, self._meter)
        return system, filled(self._prompt, "prompt", variables, self._meter)


class _Row(dict[str, str]):
    """The cells of a row by their columns; a name that only looks the same finds one, too."""

    def __init__(self, cells: tuple[str, ...], names: ColumnNames, meter: Meter) -> None:
        super().__init__(zip(names.places, map(cells.__getitem__, names.places.values()), strict=True))
        self.cells = cells
        self._names = names
        self._meter = meter

    def __missing__(self, name: object) -> str:
        if isinstance(name, str):
            self._meter.charge(len(name) * NAME_STEPS)
        places = self._names.find(name) if isinstance(name, str) else ()
        if len(places) != 1:
            raise KeyError(name)
        return self.cells[places[0]]

    def get(self, key: str, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default


def compile_prompt(recipe: Recipe, columns: Sequence[str]) -> PromptTemplate:
    """Compile both templates for a header, which they must fit as ``check_prompt`` says."""
    check_prompt(recipe, columns)
    return PromptTemplate(recipe, columns)


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
            yield _missing(name, field, near, expression_for(near) if field in _TEMPLATES else of_task, names)
        elif len(places) > 1:
            alike = ", ".join(names.columns[place] for place in places)
            values: Values = {"times": len(places), "columns": alike}
            yield Problem("duplicate_column", field=field, found=name, values=values)


def _missing(name: str, field: str, near: str, write: str, names: ColumnNames) -> Problem:
    texts = (text.format(near=near, write=write) if near else "" for text in MEANT)
    values: Values = {"meant": Bilingual(*texts), "columns": _listed(names), "at": ""}
    return Problem("missing_column", field=field, found=name, values=values)


def _listed(names: ColumnNames) -> str:
    more = len(names.known) - _LISTED_COLUMNS
    listed = [column[:30] for column in names.known[:_LISTED_COLUMNS]]
    return ", ".join([*listed, f"… (+{more})"] if more > 0 else listed)
