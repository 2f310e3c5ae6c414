"""Prompt templates: Jinja2 in a sandbox, over the columns of a table.

Cells are values of variables and never template source: a cell that holds ``{{`` is only text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from jinja2 import nodes

from shared.formats.json.cells import escape, escaped_cells
from shared.problems.problem import Problem
from shared.recipes.templates.column_names import (
    ROW,
    ColumnNames,
    handled_columns,
    near_column,
    used_columns,
)
from shared.recipes.templates.empty_cells import EmptyCells
from shared.recipes.templates.filling import MAX_PROMPT_CHARS, filled
from shared.recipes.templates.meter import NAME_STEPS, Meter
from shared.recipes.templates.plain_prompts import PlainPrompt, plain_prompt
from shared.recipes.templates.prompt_check import check_prompt, missing_column
from shared.recipes.templates.sandbox import Sandbox, parsed
from shared.recipes.templates.warnings import name_warnings

if TYPE_CHECKING:
    from shared.recipes.recipe import Recipe


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
        return [missing_column(name, field, meant, write, self._names) for name, meant in near.items()]

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
