"""Finds columns that a template names in a way that does not put their cells in."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import NamedTuple

from jinja2 import TemplateSyntaxError

from shared.formats.visible_text import shortened, visible
from shared.problems.messages.message import Message
from shared.problems.messages.recipes.prompt import NOT_READ, SENT_AS_TEXT
from shared.problems.problem import Bilingual
from shared.recipes.templates.column_names import ColumnNames, expression_for, used_columns
from shared.recipes.templates.sandbox import TemplateFailed, guarded, parsed

_MAX_NAME_CHARS = 100
# What Jinja2 sends as it stands, and what it leaves out.
_NOT_READ = re.compile(r"\{%[-+]?\s*raw\s*-?%\}.*?\{%[-+]?\s*endraw\s*[-+]?%\}|\{#.*?#\}", re.DOTALL)
_MARKS_OF_OTHERS = ".= "
_QUOTES = "\"'“”‘’＂＇「」『』`"
_VARIABLE = re.compile(r"\{\{\{?-?[ \t]*(?P<name>[^{}%\n]{1,200}?)[ \t]*-?\}{1,3}")
_TAG = re.compile(r"\{%-?[ \t]*(?P<name>[^{}%\n]{1,200}?)[ \t]*-?%\}")
_STATEMENT = re.compile(r"(?:end)?(?:for|if|set|macro|filter|call|block|raw|with|autoescape)\b|el(?:se|if)\b|include|import|extends|from\b")  # fmt: skip
_UNFINISHED = re.compile(r".*[-+/=,.(|~]\s*", re.DOTALL)
_OF_ROW = re.compile(r"\w+\s*[.\[【［]\s*(?P<name>.+?)\s*[\]】］]?")

# How other programs write a variable; ``{}`` is its name. The first kinds are never anything else.
_FORMAT = r"(?:![rsa])?(?::[<>^=+-]?\d{{0,3}}[.,]?\d?[a-z%]?)?"
_VARIABLES = (
    rf"[$#]?[{{{{｛](?:[ \u3000]?[{{{{｛])?\s*{{}}\s*{_FORMAT}[}}}}｝](?:[ \u3000]?[}}}}｝])?",
    r"%\({}\)[sdif]?",
    r"\$\(?{}\)?(?!\w)",
)
_BRACKETED = (
    r"[\[［〔〖]{{1,2}}\s*{}\s*[\]］〕〗]{{1,2}}",
    r"【\s*{}\s*】",
    r"[<＜〈《«‹]{{1,2}}\s*{}\s*[>＞〉》»›]{{1,2}}",
    r"[(（]\s*{}\s*[)）]",
    r"(?P<mark>%%?|##?|@@?|__|~)\s*{}\s*(?P=mark)",
    r"[@#:]{}(?!\w)",
)
_BARE = (r"(?<![\w]){}(?![\w])", r"{}")


class Slip(NamedTuple):
    """A place in a template.

    Attributes:
        found: As it is written.
        write: What to write instead.
        line: Of the template, from 1.
    """

    found: str
    write: str
    line: int = 1
    why: Message = SENT_AS_TEXT

    @property
    def hint(self) -> Bilingual:
        """A sentence for the middle of a message."""
        return Bilingual(*(text.format(found=shortened(self.found), write=self.write) for text in self.why))


def misspelt_column(source: str) -> Slip | None:
    """The first ``{{ … }}`` that Jinja2 cannot read, if it looks like the name of a column."""
    for match in (*_VARIABLE.finditer(source), *_TAG.finditer(source)):
        name, is_tag = match["name"], match[0].startswith("{%")
        if _is_readable(match[0]) or _UNFINISHED.fullmatch(name) or (is_tag and _STATEMENT.match(name)):
            continue
        column, _, filters = name.replace("｜", "|").partition("|")
        # Mustache writes {{#name}}, {{^name}} and {{/name}}; a column may be called "#name", too.
        write = expression_for(_bare(column.lstrip("#^/") if match[0][2:3] in "#^/" else column))
        if filters:
            write = f"{write.removesuffix(' }}')} |{filters} }}}}"
        if visible(_bare(column)) and _is_readable(write):
            return Slip(match[0], write, source.count("\n", 0, match.start()) + 1)
    return None


def misspelt_columns(source: str, names: ColumnNames) -> Iterator[Slip]:
    """Each ``{{ … }}`` whose text is the name of a column as a whole."""
    for match in _VARIABLE.finditer(source):
        column, bar, filters = match["name"].replace("｜", "|").partition("|")
        name = column if names.find(column) else _bare(column)
        write = expression_for(name)
        if bar:
            write = f"{write.removesuffix(' }}')} |{filters} }}}}"
        if len(names.find(name)) == 1:
            yield Slip(match[0], write)


def columns_as_text(source: str, names: ColumnNames, used: Container[int]) -> Iterator[Slip]:
    """Columns that stand in the template like a variable of another program, and nowhere else."""
    source = _NOT_READ.sub(" ", source)  # who writes such a part wants it to stay as it is
    for name in names.known:
        found = None if _is_used(names, name, used) else _found(source, name, _VARIABLES)
        if found and not _is_about_a_column(found, names):
            yield Slip(found, expression_for(name))


def _is_used(names: ColumnNames, name: str, used: Container[int]) -> bool:
    return any(place in used for place in names.find(name))


def _is_about_a_column(found: str, names: ColumnNames) -> bool:
    """Whether it puts in another column, whose name differs in the size of its letters."""
    if not (found.startswith("{{") and _is_readable(found)):
        return False
    return any(names.find(name) for name in used_columns(found))


def slip_hint(source: str, names: ColumnNames) -> Slip | None:
    """How a template that uses no column seems to mean one."""
    if slip := _slip(_NOT_READ.sub(" ", source), names):
        return slip
    for part in _NOT_READ.finditer(source):
        if slip := _slip(part[0], names):
            return slip._replace(found=part[0], why=NOT_READ)
    return None


def _slip(source: str, names: ColumnNames) -> Slip | None:
    for forms in (_VARIABLES, _BRACKETED, _BARE):
        # The longest first: of "text" and "text id" the latter is meant by "{text id}".
        for name in sorted(names.known, key=len, reverse=True):
            if found := _found(source, name, forms):
                return Slip(found, expression_for(name))
    return None


def _found(source: str, name: str, forms: tuple[str, ...]) -> str | None:
    words = name.lower().split()
    # Most columns of a wide table are not in the template; patterns take long to compile.
    if len(name) > _MAX_NAME_CHARS or not all(word in source.lower() for word in words):
        return None
    spelt = r"\s*".join(map(re.escape, name.split()))
    # Also as a part of something: {row["name"]}, {item.name}.
    part = rf"(?:\w+\s*(?:\[\s*[{_QUOTES}]?|\.)\s*)?{spelt}(?:[{_QUOTES}]?\s*\])?"
    for form in forms:
        if match := re.search(form.format(part), source, re.IGNORECASE):
            return match[0]
    return None


def _bare(text: str) -> str:
    """The name in ``row[“name”]``, ``row.name``, ``“name”``, Go's ``.name`` or EJS's ``= name``."""
    text = text.strip().lstrip(_MARKS_OF_OTHERS)
    inner = _OF_ROW.fullmatch(text) if text.startswith("row") else None
    return (inner["name"] if inner else text).strip(_QUOTES + " ")


def _is_readable(source: str) -> bool:
    try:
        with guarded():
            parsed(source)
    except (TemplateSyntaxError, TemplateFailed):
        return False
    return True
