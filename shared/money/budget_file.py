"""Reads ``budget.yaml`` at the bucket's root: what may be spent a month, in all and by folder."""

from __future__ import annotations

import dataclasses
import json
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
    """What may be spent in a month: ``month`` by all files, ``folders`` by those of each.

    Attributes:
        of_stack: By all files, as the stack's parameter says; the lower of the two holds.
    """

    month: Money | None = None
    folders: Mapping[str, Money] = dataclasses.field(default_factory=dict)
    of_stack: Money | None = None

    def ceilings_of(self, source_key: str) -> Iterator[Ceiling]:
        """Those that hold for a file of the inbox."""
        path = normalize("NFC", source_key).removeprefix(INBOX)  # macOS decomposes accents
        for folder, at_most in sorted(self.folders.items()):
            if path.startswith(f"{folder}/"):
                yield Ceiling(scope="folder", folder=folder, at_most=at_most)
        yield from self._of_all()

    @property
    def ceilings(self) -> Iterator[Ceiling]:
        """All that it names, that of all files first."""
        yield from self._of_all()
        for folder, at_most in sorted(self.folders.items()):
            yield Ceiling(scope="folder", folder=folder, at_most=at_most)

    def now(self, ceiling: Ceiling) -> Ceiling:
        """A plan's ceiling with what holds now; what the plan says if it is not named any more."""
        is_of_all = ceiling.scope == "all"
        said = self.month if is_of_all else self.folders.get(ceiling.folder)
        stack = (self.of_stack or ceiling.of_stack) if is_of_all else None
        currency = ceiling.at_most.currency
        if (said is None or said.currency != currency) and not ceiling.is_of_stack:
            said = ceiling.at_most
        found = [each for each in (said, stack) if each is not None and each.currency == currency]
        at_most = min(found, key=lambda each: each.micros, default=ceiling.at_most)
        return ceiling.model_copy(update={"at_most": at_most, "of_stack": stack if stack in found else None})

    def _of_all(self) -> Iterator[Ceiling]:
        """One for each currency in which there is any: they are never compared."""
        found = [each for each in (self.month, self.of_stack) if each is not None]
        for currency in dict.fromkeys(each.currency for each in found):
            amounts = [each for each in found if each.currency == currency]
            at_most = min(amounts, key=lambda each: each.micros)
            stack = self.of_stack if self.of_stack in amounts else None
            yield Ceiling(scope="all", at_most=at_most, of_stack=stack)


def parse_budget(text: str) -> Budget:
    """Read it. One that is empty, or has nothing but comments, says nothing.

    Raises:
        UserInputError: With every problem found, each with its line.
    """
    try:
        return _parse(text)
    except UserInputError as error:
        if [each.code for each in error.problems] == ["recipe_empty"]:
            return Budget()
        named = [
            dataclasses.replace(each, code=_CODES.get(each.code, each.code), file=BUDGET)
            for each in error.problems
        ]
        raise UserInputError(sorted(named, key=lambda each: each.line or 0)) from error


def _parse(text: str) -> Budget:
    from shared.formats.yaml_values import parse_yaml_mapping  # noqa: PLC0415 - most buckets have none

    tree = parse_yaml_mapping(text)
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
        problems.append(Problem("price_mapping", tree.line_of(("folders",)), "folders", _shown(said), values))
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
    levels = folder.split("/")
    return not (
        _NO_NAMES & set(levels)
        or _NO_CHARACTERS & set(folder)
        or any(level != level.strip() for level in levels)
    )


def _shown(said: Any) -> str:
    """As the file may have it."""
    return said if isinstance(said, str) else "" if said is None else json.dumps(said, ensure_ascii=False)


def _amount(tree: YamlValues, path: Path, said: Any, problems: list[Problem]) -> Money | None:
    if said is None and len(path) == 1:
        return None
    amount = parse_money(said) if isinstance(said, str) else None
    if amount is None:
        problems.append(Problem("not_an_amount", tree.line_of(path), ".".join(map(str, path)), _shown(said)))
    return amount


def _unknown_keys(tree: YamlValues) -> Iterator[Problem]:
    for key in tree.values:
        if key not in _KEYS:
            values = {"nearest": nearest(key, _KEYS) or _KEYS[0], "known": ", ".join(_KEYS)}
            yield Problem("recipe_unknown_key", tree.line_of((key,)), key, key, values)
