"""Reads YAML as plain values with their lines; refuses what a recipe has no use for.

Everything is text except true, false, null and numbers as JSON writes them: ``no``, ``1:30`` and
dates stay as typed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator

import yaml
from pydantic import JsonValue

from shared.formats.json.surrogates import joined_surrogates
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem

Path = tuple[str | int, ...]

_PLAIN_TEXT = re.compile(r"[^\W\d_][\w ]*(?<! )")
_NO_TEXT = frozenset({"true", "false", "null"})

MAX_DEPTH = 20
_BOOL, _NULL = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null"
_INT, _FLOAT = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"
# No model's parameter is longer, and Python refuses to read more than 4,300 digits.
_MAX_DIGITS = 300


class _JsonScalars(yaml.SafeLoader):
    """PyYAML's safe loader without YAML 1.1's surprises.

    It refuses events as they are taken, before the composer follows an alias (a few lines can stand
    for gigabytes) or recurses as deep as they nest.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as in PyYAML
    _depth = 0

    def get_event(self) -> yaml.Event:
        event: yaml.Event = super().get_event()  # type: ignore[no-untyped-call]  # in its stubs
        line = event.start_mark.line + 1 if event.start_mark else None
        self._depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(
            event, yaml.CollectionEndEvent
        )
        if self._depth > MAX_DEPTH:
            raise UserInputError([Problem("recipe_too_deep", line, values={"max_depth": MAX_DEPTH})])
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            raise _refusal("recipe_anchor", line, event.anchor)
        tag: str | None = getattr(event, "tag", None)
        if tag is not None:
            raise _refusal("recipe_tag", line, tag)
        return event


_JsonScalars.add_implicit_resolver(_BOOL, re.compile(r"^(?:true|false)$"), list("tf"))
_JsonScalars.add_implicit_resolver(_NULL, re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
_JsonScalars.add_implicit_resolver(_INT, re.compile(r"^-?(?:0|[1-9][0-9]*)$"), list("-0123456789"))
_JsonScalars.add_implicit_resolver(
    _FLOAT, re.compile(r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$"), list("-0123456789")
)


class YamlValues:
    """The values of one YAML mapping and where each of them stands.

    Attributes:
        plain_texts: What is written without quotes, keys included, each with its path.
    """

    def __init__(self, root: yaml.MappingNode) -> None:
        self.problems: list[Problem] = []
        self.plain_texts: list[tuple[Path, str]] = []
        self._lines: dict[Path, int] = {}
        self.values = dict(self._entries(root, ()))

    def line_of(self, path: Path) -> int:
        """The line, from 1, of the key or value at ``path``, or of the nearest that contains it."""
        while path not in self._lines and path:
            path = path[:-1]
        return self._lines.get(path, 1)

    def _entries(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, JsonValue]]:
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(Problem("recipe_key_not_text", line))
                continue
            key = self._text(key_node)
            entry = (*path, key)
            if entry in self._lines:
                first = self._lines[entry]
                self.problems.append(Problem("recipe_duplicate_key", line, key, values={"first_line": first}))
                continue
            self._lines[entry] = line
            self._note_plain(key_node, entry)
            yield key, self._value(value_node, entry)

    def _value(self, node: yaml.Node, path: Path) -> JsonValue:
        if isinstance(node, yaml.MappingNode):
            return dict(self._entries(node, path))
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _scalar(self, node: yaml.Node, path: Path) -> JsonValue:
        text = self._text(node)
        self._note_plain(node, path)
        if node.tag == _BOOL:
            return text == "true"
        if node.tag == _NULL:
            return None
        if node.tag not in {_INT, _FLOAT}:
            return text
        if len(text) > _MAX_DIGITS or not math.isfinite(float(text)):
            field = ".".join(map(str, path))
            self.problems.append(Problem("recipe_number", node.start_mark.line + 1, field, found=text))
            return 0
        return int(text) if node.tag == _INT else float(text)

    def _note_plain(self, node: yaml.Node, path: Path) -> None:
        if isinstance(node, yaml.ScalarNode) and node.style is None:
            self.plain_texts.append((path, node.value))

    def _text(self, node: yaml.Node) -> str:
        text = joined_surrogates(str(node.value))
        if any("\ud800" <= character <= "\udfff" for character in text):
            self.problems.append(Problem("recipe_lone_surrogate", node.start_mark.line + 1, found=text))
        return text


def parse_yaml_mapping(text: str) -> YamlValues:
    """Read one YAML document that must be a mapping.

    Raises:
        UserInputError: Not YAML, empty, not a mapping, nested absurdly deep, or with anchors,
            aliases or tags. Problems of single entries are in ``YamlValues.problems`` instead.
    """
    try:
        root = yaml.compose(text, Loader=_JsonScalars)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _not_yaml(mark.line + 1 if mark else None, error.problem or "") from error
    except yaml.YAMLError as error:
        # YAML forbids a character; the reader knows only its position.
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        raise _not_yaml(line, str(error)) from error
    if root is None or (isinstance(root, yaml.ScalarNode) and root.tag == _NULL):
        raise _refusal("recipe_empty", None, None)
    if not isinstance(root, yaml.MappingNode):
        raise _refusal("recipe_not_a_mapping", root.start_mark.line + 1, None)
    return YamlValues(root)


def yaml_text(text: str) -> str:
    """The text as YAML, also inside braces and brackets."""
    if _PLAIN_TEXT.fullmatch(text) and text not in _NO_TEXT:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())


def _not_yaml(line: int | None, reason: str) -> UserInputError:
    return UserInputError([Problem("recipe_not_yaml", line, values={"reason": reason})])


def _refusal(code: str, line: int | None, found: str | None) -> UserInputError:
    return UserInputError([Problem(code, line, found=found)])
