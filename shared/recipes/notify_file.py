"""Reads ``notify.yaml``, which says by which channels people hear of the files in its folder."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from shared.ports.channel import channels_in
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem
from shared.recipes.recipe_text import decode
from shared.recipes.written import as_yaml

if TYPE_CHECKING:
    from shared.formats.yaml_values import YamlValues

NOTIFY_FILE = "notify.yaml"
# What a file must begin with, said of this one: a recipe's keys would be wrong here.
_CODES = {"recipe_not_a_mapping": "notify_not_a_mapping", "recipe_empty": "notify_not_a_mapping"}


def parse_notify_file(content: bytes) -> list[str]:
    """``kind:name`` of each channel.

    Raises:
        UserInputError: With every problem found, each with its line.
    """
    try:
        return _parse(content)
    except UserInputError as error:
        named = [
            dataclasses.replace(problem, code=_CODES.get(problem.code, problem.code), file=NOTIFY_FILE)
            for problem in error.problems
        ]
        raise UserInputError(named) from error


def notify_in_recipe(content: bytes) -> list[str] | None:
    """What a recipe says of it, even if all else in it is wrong; ``None`` if it says nothing."""
    from shared.formats.yaml_values import parse_yaml_mapping  # noqa: PLC0415 - most files have no recipe

    try:
        return channels_in(parse_yaml_mapping(decode(content)).values.get("notify"))
    except UserInputError:
        return None


def _parse(content: bytes) -> list[str]:
    from shared.formats.yaml_values import parse_yaml_mapping  # noqa: PLC0415 - most folders have none

    text = decode(content)
    tree = parse_yaml_mapping(text) if text.strip() else None
    channels = channels_in(tree.values.get("notify")) if tree else None
    problems = _problems(tree) if tree else []
    if channels is None:
        said = tree.values.get("notify") if tree else None
        line = tree.line_of(("notify",)) if tree and "notify" in tree.values else None
        problems.append(Problem("recipe_notify", line, "notify", as_yaml(said)))
    if channels is None or problems:
        raise UserInputError(problems)
    return channels


def _problems(tree: YamlValues) -> list[Problem]:
    others = (key for key in tree.values if key != "notify")
    return [
        *tree.problems,
        *(Problem("notify_unknown_key", tree.line_of((key,)), found=key) for key in others),
    ]
