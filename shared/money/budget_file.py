"""Reads ``budget.yaml`` at the bucket's root: what may be spent a month, in all and by folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unicodedata import normalize

from shared.bucket.keys import BUDGET, INBOX
from shared.bucket.money import Ceiling, Money
from shared.money.amounts import parse_money
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, nearest

if TYPE_CHECKING:
    from shared.formats.yaml_values import Path, YamlValues

_KEYS = ("month", "folders")
_EXAMPLE = "{marketing: 100 CNY}"
_NO_NAMES = {"", ".", ".."}
_NO_CHARACTERS = {"*", "\\"}
# What a file must begin with, said of this one: a recipe's keys would be wrong here.
_CODES = {"recipe_not_a_mapping": "budget_not_a_mapping"}


@dataclass(frozen=True)
class Budget:
    """What may be spent in a month: ``month`` by all files, the others by a folder's."""

    month: Money | None = None
    folders: Mapping[str, Money] = dataclasses.field(default_factory=dict)

    def ceilings_of(self, source_key: str) -> Iterator[Ceiling]:
        """Those that hold for a file of the inbox."""
        path = normalize("NFC", source_key).removeprefix(INBOX)  # macOS decomposes accents
        for folder, at_most in sorted(self.folders.items()):
            if path.startswith(f"{folder}/"):
                yield Ceiling(scope="folder", folder=folder, at_most=at_most)
        if self.month is not None:
            yield Ceiling(scope="all", at_most=self.month)

    @property
    def ceilings(self) -> Iterator[Ceiling]:
        """All that it names, that of all files first."""
        if self.month is not None:
            yield Ceiling(scope="all", at_most=self.month)
        for folder, at_most in sorted(self.folders.items()):
            yield Ceiling(scope="folder", folder=folder, at_most=at_most)

    def limit_of(self, ceiling: Ceiling) -> Money:
        """What it says now; what the plan says if it names no such ceiling any more."""
        now = self.month if ceiling.scope == "all" else self.folders.get(ceiling.folder)
        is_same = now is not None and now.currency == ceiling.at_most.currency
        return now if now is not None and is_same else ceiling.at_most


def parse_budget(content: bytes) -> Budget:
    """Read it. One that is empty, or has nothing but comments, says nothing.

    Raises:
        UserInputError: With every problem found, each with its line.
    """
    try:
        return _parse(content)
    except UserInputError as error:
        if [each.code for each in error.problems] == ["recipe_empty"]:
            return Budget()
        named = [
            dataclasses.replace(each, code=_CODES.get(each.code, each.code), file=BUDGET)
            for each in error.problems
        ]
        raise UserInputError(sorted(named, key=lambda each: each.line or 0)) from error


def _parse(content: bytes) -> Budget:
    from shared.formats.yaml_values import parse_yaml_mapping  # noqa: PLC0415 - most buckets have none

    try:
        tree = parse_yaml_mapping(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UserInputError([Problem("budget_not_a_mapping")]) from error
    problems = [*tree.problems, *_unknown_keys(tree)]
    month = _amount(tree, ("month",), tree.values.get("month"), problems)
    folders = dict(_folders(tree, problems))
    if problems:
        raise UserInputError(problems)
    return Budget(month, folders)


def _folders(tree: YamlValues, problems: list[Problem]) -> Iterator[tuple[str, Money]]:
    said = tree.values.get("folders")
    if said is None:
        return
    if not isinstance(said, dict):
        values = {"example": _EXAMPLE}
        problems.append(Problem("price_mapping", tree.line_of(("folders",)), "folders", str(said), values))
        return
    found: set[str] = set()
    for written, amount in said.items():
        at_most = _amount(tree, ("folders", written), amount, problems)
        folder = normalize("NFC", written).strip("/").removeprefix(INBOX)
        if folder in found or folder == INBOX.strip("/") or not _is_folder(folder):
            # Silently another one would hold, or none at all.
            line = tree.line_of(("folders", written))
            problems.append(Problem("budget_folder", line, f"folders.{written}", written))
        elif at_most is not None:
            yield folder, at_most
        found.add(folder)


def _is_folder(folder: str) -> bool:
    """Whether files can lie in it; no pattern is one, nor a path as Windows writes it."""
    return not (_NO_NAMES & set(folder.split("/")) or _NO_CHARACTERS & set(folder))


def _amount(tree: YamlValues, path: Path, said: Any, problems: list[Problem]) -> Money | None:
    if said is None and len(path) == 1:
        return None
    amount = parse_money(said) if isinstance(said, str) else None
    if amount is None:
        problems.append(Problem("not_an_amount", tree.line_of(path), ".".join(map(str, path)), str(said)))
    return amount


def _unknown_keys(tree: YamlValues) -> Iterator[Problem]:
    for key in tree.values:
        if key not in _KEYS:
            values = {"nearest": nearest(key, _KEYS) or _KEYS[0], "known": ", ".join(_KEYS)}
            yield Problem("recipe_unknown_key", tree.line_of((key,)), key, key, values)
