"""Prompt templates: Jinja2 in a sandbox, over the columns of a CSV.

Cells are values of variables and never template source: a cell that holds ``{{`` is only text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from shared.formats.json.cells import escape, escaped_cells
from shared.formats.sizes import MB
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, Values, nearest
from shared.recipes.plain_prompts import PlainPrompt, plain_prompt

if TYPE_CHECKING:
    from jinja2.runtime import Context

    from shared.recipes.recipe import Recipe

ROW = "row"
# More than any provider takes in a line. It stops a template that makes gigabytes of a short cell.
MAX_PROMPT_CHARS = 6 * MB
_LISTED_COLUMNS = 30

# These make gigabytes of one short expression, and a prompt needs none of them. Doubling a variable
# forty times still gets there: for those who mean harm, the function's memory and time-out are the
# limit.
_INFLATING_FILTERS = frozenset(
    {"batch", "center", "format", "indent", "pprint", "slice", "urlize", "wordwrap"}
)
_INFLATING_METHODS = frozenset({"center", "expandtabs", "format", "format_map", "ljust", "rjust", "zfill"})
_LARGEST_OPERAND = 10**6

# Compiling or running somebody else's template may raise anything that Python code may.
_TEMPLATE_FAILURES = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, without globals and without ways to make very much of very little."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self) -> None:
        # autoescape stays off: a model reads plain text, and &lt; would change what it reads.
        super().__init__(undefined=StrictUndefined, autoescape=False)
        self.globals.clear()
        for name in _INFLATING_FILTERS:
            self.filters.pop(name, None)

    def wrap_str_format(self, value: Any) -> None:
        """Leave ``str.format`` to ``is_safe_attribute``: the sandbox allows it, with any width."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return attr not in _INFLATING_METHODS and super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if not (_is_small_number(left) and _is_small_number(right)):
            raise SecurityError(f"{operator} works on numbers up to {_LARGEST_OPERAND} only")
        if operator == "**" and abs(right) > 100:
            raise SecurityError("** works with exponents up to 100 only")
        return super().call_binop(context, operator, left, right)


def _is_small_number(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) <= _LARGEST_OPERAND


def template_problems(source: str, field: str) -> list[Problem]:
    """What is wrong with a template by itself, whatever the columns."""
    sandbox = _Sandbox()
    try:
        tree = sandbox.parse(source)
        sandbox.from_string(source)
    except TemplateSyntaxError as error:
        values: Values = {"template_line": error.lineno, "reason": error.message or ""}
        return [Problem("template_syntax", field=field, values=values)]
    except _TEMPLATE_FAILURES as error:
        values = {"template_line": 1, "reason": type(error).__name__}
        return [Problem("template_syntax", field=field, values=values)]
    if any(True for _ in meta.find_referenced_templates(tree)):
        return [Problem("template_refers", field=field)]
    return []


class PromptTemplate:
    """A recipe's compiled prompts for files with one header."""

    def __init__(self, system: str | None, prompt: str, columns: Sequence[str]) -> None:
        sandbox = _Sandbox()
        self._positions = _positions(columns)
        self._system = None if system is None else sandbox.from_string(system)
        self._prompt = sandbox.from_string(prompt)
        self._plain_system = None if system is None else self._plain(sandbox.parse(system))
        self._plain_prompt = self._plain(sandbox.parse(prompt))
        self._is_plain = self._plain_prompt is not None and (system is None or self._plain_system is not None)

    def _plain(self, tree: nodes.Template) -> PlainPrompt | None:
        return plain_prompt(tree, self._positions, ROW, MAX_PROMPT_CHARS)

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
        made, text = self.render(cells)
        return None if made is None else escape(made), escape(text)

    def render(self, cells: Sequence[str]) -> tuple[str | None, str]:
        """The system prompt, if the recipe has one, and the prompt for one row.

        Raises:
            UserInputError: The template failed on these cells, or made nothing or too much of them.
        """
        row = {name: cells[position] for name, position in self._positions.items()}
        variables = {**row, ROW: MappingProxyType(row)}
        system = None if self._system is None else _render(self._system, "system", variables)
        return system, _render(self._prompt, "prompt", variables)


def compile_prompt(recipe: Recipe, columns: Sequence[str]) -> PromptTemplate:
    """Compile both templates; every column that they use must be in the header exactly once.

    Raises:
        UserInputError: A template is not valid, or uses a column that is missing or ambiguous.
    """
    sources = {"system": recipe.system, "prompt": recipe.prompt}
    problems: list[Problem] = []
    for field, source in sources.items():
        if source is not None:
            problems.extend(template_problems(source, field) or _column_problems(source, field, columns))
    if problems:
        raise UserInputError(problems)
    return PromptTemplate(recipe.system, recipe.prompt, columns)


def _render(template: Template, field: str, variables: Mapping[str, object]) -> str:
    pieces: list[str] = []
    size = 0
    try:
        for piece in template.generate(variables):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_PROMPT_CHARS:
                raise UserInputError(
                    [Problem("prompt_too_long", field=field, values={"max_chars": MAX_PROMPT_CHARS})]
                )
    except _TEMPLATE_FAILURES as error:
        values = {"reason": f"{type(error).__name__}: {error}"}
        raise UserInputError([Problem("template_failed", field=field, values=values)]) from error
    text = "".join(pieces)
    if not text.strip():
        raise UserInputError([Problem("empty_prompt", field=field)])
    return text


def _positions(columns: Sequence[str]) -> dict[str, int]:
    """The column of each name: as written, and without spaces around it, which nobody sees."""
    positions: dict[str, int] = {}
    for name in (str, str.strip):
        for position, column in enumerate(columns):
            if column.strip():
                positions.setdefault(name(column), position)
    return positions


def _column_problems(source: str, field: str, columns: Sequence[str]) -> Iterator[Problem]:
    known = [column.strip() for column in columns if column.strip()]
    times = Counter(known)
    for name in _used_columns(source):
        if times[name.strip()] == 0:
            values = {"nearest": nearest(name, known), "columns": _listed(known)}
            yield Problem("missing_column", field=field, found=name, values=values)
        elif times[name.strip()] > 1:
            yield Problem("duplicate_column", field=field, found=name, values={"times": times[name.strip()]})


def _used_columns(source: str) -> list[str]:
    tree = _Sandbox().parse(source)
    names = meta.find_undeclared_variables(tree)
    if ROW not in names:
        return sorted(names)
    names = names - {ROW}
    for item in tree.find_all(nodes.Getitem):
        if _is_row(item.node) and isinstance(item.arg, nodes.Const) and isinstance(item.arg.value, str):
            names.add(item.arg.value)
    for attribute in tree.find_all(nodes.Getattr):
        if _is_row(attribute.node) and not hasattr(dict, attribute.attr):
            names.add(attribute.attr)
    return sorted(names)


def _is_row(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == ROW


def _listed(columns: Sequence[str]) -> str:
    more = len(columns) - _LISTED_COLUMNS
    names = [column[:30] for column in columns[:_LISTED_COLUMNS]]
    return ", ".join([*names, f"… (+{more})"] if more > 0 else names)
