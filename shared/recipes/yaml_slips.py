"""Finds what was typed wrong in a recipe: full-width marks, missing spaces, tabs, quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from shared.formats.visible_text import shortened
from shared.problems.problem import Problem
from shared.recipes.parameters import PARAMETERS
from shared.recipes.recipe import Output, Recipe

if TYPE_CHECKING:
    from shared.formats.yaml_values import YamlValues

# Few recipes need the expressions, so that each is compiled where it is first used.
_KEYS = "|".join(sorted({*Recipe.model_fields, *Output.model_fields, *PARAMETERS}, key=len, reverse=True))
_CURLY = "“”‘’„‚＂＇"
# A text as a whole in such quotes, of which one may be plain; within, there are no others.
_IN_QUOTES = f"(?s)(?=.*[{_CURLY}])[{_CURLY}\"'](?P<text>[^{_CURLY}\"']+)[{_CURLY}\"']"
_PLAIN = r"[\w.;][^:#,{}\[\]\n]*"
# One that begins with a plain quote and ends with another, so that YAML looks for its end.
_HALF_CURLY = rf"(?P<before>.*?[:,\[{{-][ ]+)(?P<quote>[\"'])(?P<text>[^\"'{_CURLY}]+)[{_CURLY}](?P<after>[^\"'{_CURLY}]*)"
_FREE_KEYS = ("parameters", "columns")
# Where an answer ends may well be a quote.
_MAY_BE_QUOTED = frozenset({"stop"})
SMART_QUOTES = "“”‘’„‚«»‹›「」『』＂＇"
# What stands for a colon: its look-alikes, an equals sign, or a colon without its space.
_COLON = r"(?:[ \t\u3000\xa0]*(?:[：﹕∶꞉︰；;＝]|=(?!=))[ \t\u3000\xa0]*|:(?=[^ \r\n])[\t\u3000\xa0]*)"
_KEY_LINE = rf"(?i)(?P<indent>\s*(?:- )?)[{SMART_QUOTES}\"']?(?P<key>{_KEYS})[{SMART_QUOTES}\"']?{_COLON}(?P<value>.*)"
_BLOCK_LINE = rf"(?i)\s*(?P<key>{_KEYS})\s*[:：][ \t\u3000\xa0]*(?P<mark>[｜＞])[ \t]*"
_BLOCK_START = r"(?P<key>prompt|system)\s*:[ ]+[|>][-+0-9]*\s*(?:#.*)?"
_KEY_START = rf"(?i)[{SMART_QUOTES}\"']?(?:{_KEYS})\b"
_MAY_BE_KEY = r"[^{]+?[:：﹕∶=＝][^{]*"
_MARKS = str.maketrans("｜＞［］｛｝，＃　＂＇", "|>[]{},# \"'")
_TEXT_LINE = r"(?P<key>prompt|system)\s*:[ ]+(?![|>])(?P<value>(?=.*[\"'{}\[\]:#&*!%@`])\S.*)"
# YAML takes what follows " #" for a comment, unless the text has quotes or is a block.
_CUT_LINE = r"(?P<key>prompt|system):[ ]+(?![|>\"'&*!#])\S.*? (?P<lost>#.*)"
_ODD = r"[\t\u3000\xa0\u2002\u2003\u2009\u200b\ufeff]+"
_ODD_INDENT = rf"(?P<indent>[ ]*{_ODD})\S"
# Ends the block of a prompt, for YAML knows no other space than the plain one.
_ODD_START = rf"(?P<indent>{_ODD})"
# In braces, YAML wants a space behind a colon; without it, this is all one name.
_IN_NAME = r"\s*[:：]\s*(?!//|\d)"
_BETWEEN = r"\s*[,，]\s*"
_DESCRIBED = frozenset({("classify", "labels"), ("extract", "fields")})
# Around a recipe that was copied from a chat.
_FENCE_LINE = r"(?:`{3,}|~{3,}|'{3}|\"{3})[ ]*\w*\s*"


def explained(problems: Sequence[Problem], text: str) -> list[Problem]:
    """The problems of a recipe, where the typing explains them by what was typed instead.

    Args:
        problems: As YAML and the recipe's model found them.
        text: Of the whole recipe.
    """
    lines = text.split("\n")
    if problems and not _fences(lines) and (slips := list(_not_in_block(lines))):
        return slips
    found: list[Problem] = []
    for problem in problems:
        if problem.code in {"recipe_not_yaml", "recipe_not_a_mapping"}:
            slips = _unreadable(lines, problem.line or 1)
        elif problem.code == "recipe_not_a_section":
            slips = [slip for slip in _colons(lines) if lines[(slip.line or 1) - 1][:1].isspace()]
        else:
            slips = _indent(lines, problem.line or 1) if problem.code == "recipe_unknown_key" else []
        found += slips or [problem]
    return [each for place, each in enumerate(found) if each not in found[:place]]


def with_misread(problems: Sequence[Problem], tree: YamlValues, text: str) -> list[Problem]:
    """The problems of a recipe that is YAML, and what this reads otherwise than it was meant."""
    misread = {problem.field: problem for problem in (*_joined_names(tree), *_quoted_texts(tree))}
    others = [problem for problem in problems if problem.field not in misread]
    return [*others, *misread.values(), *_block_slips(text), *_cut_texts(text)]


def _block_slips(text: str) -> Iterator[Problem]:
    """Each full-width ``｜`` behind a key, which YAML takes for text."""
    for number, line in enumerate(text.split("\n"), start=1):
        has_mark = "｜" in line or "＞" in line
        if has_mark and (match := re.fullmatch(_BLOCK_LINE, line.rstrip("\r"))):
            write = f"{match['key']}: {match['mark'].translate(_MARKS)}"
            yield Problem("recipe_colon", number, found=line.strip(), values={"write": write})


def _cut_texts(text: str) -> Iterator[Problem]:
    """Each prompt that ends where YAML sees a comment, which would not be sent."""
    for number, line in enumerate(text.split("\n"), start=1):
        if match := re.match(_CUT_LINE, line.rstrip("\r")):
            yield Problem("recipe_text_cut", number, match["key"], found=match["lost"])


def _quoted_texts(tree: YamlValues) -> Iterator[Problem]:
    """The first text of each line that stands in quotes which YAML takes for a part of it."""
    told: set[int] = set()
    for path, text in tree.plain_texts:
        # A key of the recipe's own is told as one that is not known.
        is_known_key = path[-1] == text and len(path) <= 2 and path[0] not in _FREE_KEYS
        match = None if is_known_key else re.fullmatch(_IN_QUOTES, text.strip())
        line = tree.line_of(path)
        if match and line not in told and _MAY_BE_QUOTED.isdisjoint(path):
            told.add(line)
            field = ".".join(str(name) for name in path if isinstance(name, str) and name != text)
            yield Problem("recipe_quotes", line, field, text, {"write": _as_yaml(match["text"])})


def _joined_names(tree: YamlValues) -> list[Problem]:
    """The first ``{price:number}`` without quotes, a name without a meaning to YAML."""
    empty = {path for path, text in tree.plain_texts if not text and path[:-1] in _DESCRIBED}
    names = ((path, name) for path, name in tree.plain_texts if path in empty and path[-1] == name)
    found = next(((path, name) for path, name in names if re.search(_IN_NAME, name)), None)
    if found is None:
        return []
    path, name = found
    write = re.sub(_BETWEEN, ", ", re.sub(_IN_NAME, ": ", name)).strip()
    field = ".".join(map(str, path[:-1]))
    return [Problem("recipe_colon", tree.line_of(path), field, name, {"write": shortened(write)})]


def _as_yaml(text: str) -> str:
    return text if re.fullmatch(_PLAIN, text) else f'"{text}"'


def has_smart_quotes(text: str) -> bool:
    """Whether a value that is never a sentence has quotes that YAML takes for letters."""
    return not frozenset(SMART_QUOTES).isdisjoint(text)


def _unreadable(lines: list[str], line: int) -> list[Problem]:
    """Why YAML may have given up on this line."""
    near = lines[line - 1] if line <= len(lines) else ""
    if slips := _fences(lines) or _odd_starts(lines[:line]) or _indent(lines, line):
        return slips
    if slips := list(_half_curly(lines)):
        return slips
    if slips := [*_colons(lines), *_block_slips("\n".join(lines))]:
        return slips
    value = re.match(_TEXT_LINE, near)
    if value is None:
        return []
    return [Problem("recipe_needs_block", line, value["key"], found=value["value"].strip())]


def _half_curly(lines: list[str]) -> Iterator[Problem]:
    for number, line in enumerate(lines, start=1):
        if match := re.fullmatch(_HALF_CURLY, line.rstrip("\r")):
            quoted = f"{match['quote']}{match['text']}{match['quote']}"
            write = f"{match['before']}{quoted}{match['after']}".strip()
            yield Problem("recipe_quotes", number, found=line.strip(), values={"write": write})


def _not_in_block(lines: list[str]) -> Iterator[Problem]:
    """The first line below each ``prompt: |`` that is meant to be in the block and not indented."""
    key, is_empty = "", True
    for number, line in enumerate(map(str.rstrip, lines), start=1):
        if line[:1].isspace():
            is_empty = False
        elif match := re.fullmatch(_BLOCK_START, line):
            key, is_empty = match["key"], True
        elif key and line and not line.startswith(("#", "---", "...")):
            if not re.match(_KEY_START, line) and (is_empty or not re.fullmatch(_MAY_BE_KEY, line)):
                yield Problem("recipe_not_in_block", number, key, line, {"key": key})
            key = ""


def _fences(lines: list[str]) -> list[Problem]:
    return [
        Problem("recipe_fence", number, found=line.strip())
        for number, line in enumerate(lines, start=1)
        if re.fullmatch(_FENCE_LINE, line)
    ]


def _odd_starts(lines: list[str]) -> list[Problem]:
    """The first line that begins with a space of another kind."""
    starts = ((number, re.match(_ODD_START, line)) for number, line in enumerate(lines, start=1))
    found = ((number, start["indent"]) for number, start in starts if start)
    return [Problem("recipe_indent", number, found=indent) for number, indent in found][:1]


def _indent(lines: list[str], line: int) -> list[Problem]:
    indent = re.match(_ODD_INDENT, lines[line - 1]) if line <= len(lines) else None
    return [Problem("recipe_indent", line, found=indent["indent"])] if indent else []


def _colons(lines: list[str]) -> Iterator[Problem]:
    for number, line in enumerate(lines, start=1):
        if re.fullmatch(_BLOCK_LINE, line.rstrip("\r")) or (match := re.match(_KEY_LINE, line)) is None:
            continue
        write = f"{match['key']}: {match['value'].translate(_MARKS).strip()}".rstrip()
        yield Problem("recipe_colon", number, found=line.strip(), values={"write": write})
