"""Reads files of request lines, by what the provider's batch service accepts; changes none."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from shared.formats.binary_files import refuse_binary
from shared.formats.heads import peek, without_bom
from shared.formats.json.policies import StrictJson
from shared.formats.lines import Line, numbered_lines
from shared.inputs.inbox_keys import InputKind
from shared.inputs.requests.custom_ids import CustomIds
from shared.inputs.requests.foreign_lines import find_foreign_lines
from shared.inputs.requests.json_documents import find_document
from shared.inputs.requests.quick_requests import QuickRequests, RequestMode
from shared.inputs.requests.request_checks import checks_for
from shared.inputs.requests.request_encoding import size_problems
from shared.inputs.rows import InputRow, Observations
from shared.ports.profile import ProviderProfile
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem
from shared.recipes.recipe import Recipe

_BLANK = b" \t\r\n"
# Two requests on what is one line for all but old programs of Apple's; no string has a raw ``\r``.
_JOINED_BY_RETURN = re.compile(rb"\}\s*\r\s*\{")
_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class RequestLines:
    """The rows of a file of request lines, each of which is sent as it stands.

    ``recipe`` names the model of lines that do not.
    """

    kind: ClassVar = InputKind.REQUEST_JSONL
    open_chunks: Callable[[], Iterable[bytes]]
    profile: ProviderProfile
    recipe: Recipe | None = None

    def rows(self, observed: Observations) -> Iterator[InputRow]:
        """Yield a row for each line that is not blank.

        Raises:
            UserInputError: It is not a text file, or it is in UTF-16, or it lacks a recipe.
        """
        head, chunks = peek(self.open_chunks())
        refuse_binary(head)
        if document := find_document(head) or find_foreign_lines(head, self.profile):
            raise UserInputError([document])
        if head.startswith(_UTF16_BOMS):
            encoding = "UTF-32" if head.startswith(codecs.BOM_UTF32_LE) else "UTF-16"
            raise UserInputError(
                [Problem("utf16_jsonl", found=head[:2].hex(" "), values={"encoding": encoding})]
            )
        if b"\n" not in head and _JOINED_BY_RETURN.search(head):
            chunks = (chunk.replace(b"\r", b"\n") for chunk in chunks)
        self._address(observed)
        checks = _FileChecks(self.profile, observed)
        for line in numbered_lines(without_bom(chunks), self.profile.limits_for("").max_line_bytes):
            # ``isspace`` stops at the first character; ``strip`` would copy every line.
            if line.content is None or not line.content.isspace() or line.content.strip(_BLANK):
                yield checks.row_for(line)
        observed.warnings.extend(self.profile.model_warnings_for(observed.model))

    def _address(self, observed: Observations) -> None:
        rules = self.profile.rules
        if rules.form.is_addressed:
            return
        if self.recipe is None:
            values = {
                **rules.other_form,
                "provider": self.profile.terms["provider"],
                "model": rules.example_model,
            }
            raise UserInputError([Problem("lines_without_recipe", values=values)])
        observed.model, observed.endpoint = self.recipe.model, self.recipe.endpoint


class _FileChecks:
    """Checks each line of one file, and what all its lines must have in common."""

    def __init__(self, profile: ProviderProfile, observed: Observations) -> None:
        self._limits_for = profile.limits_for
        self._observed = observed
        self._json = StrictJson()
        self._quick = QuickRequests(profile.rules)
        self._mode: RequestMode | None = None
        self._warn_bytes = 0
        self._ids = CustomIds(profile.limits_for("").max_custom_id_chars)
        self._checks = checks_for(profile, self._ids, observed)

    def row_for(self, line: Line) -> InputRow:
        number, content, size_bytes = line
        if content is None:
            problems = size_problems(size_bytes, number, self._limits_for(""), self._observed.warnings)
            return InputRow(number, "", (), None, tuple(problems))
        custom_id = self._quick.find_custom_id(content, self._mode) if self._mode else None
        if custom_id is None:
            return self._checked_row(content.removesuffix(b"\n").removesuffix(b"\r"), number)
        request = content if content.endswith(b"}\n") else _ended(content)
        problems = self._ids.problems(custom_id, number)
        if len(request) > self._warn_bytes:
            problems += self._size_problems(len(request) - 1, number)
        if problems:
            return InputRow(number, custom_id, (), None, tuple(problems))
        return InputRow(number, custom_id, (), request, (), False, b"", self._quick.shape, self._quick.said)

    def _checked_row(self, content: bytes, number: int) -> InputRow:
        """The row after the full checks, which word everything that is wrong with it."""
        # Where files were joined, each brought its byte order mark.
        content = content.removeprefix(codecs.BOM_UTF8)
        try:
            request, problems = self._json.parse(content, number)
        except UserInputError as error:
            return InputRow(number, "", (), None, error.problems)
        if not isinstance(request, dict):
            problems.append(Problem("not_an_object", number))
            return InputRow(number, "", (), None, tuple(problems))
        problems += self._checks.problems(request, number)
        problems += self._size_problems(len(content), number)
        if not problems and self._mode is None:  # what was observed stays, so every good line is of this mode
            observed = self._observed
            self._mode = RequestMode(observed.endpoint, observed.model, observed.thinking)
            self._warn_bytes = self._limits_for(observed.model).warn_line_bytes
        custom_id = request.get("custom_id")
        return InputRow(
            number,
            custom_id if isinstance(custom_id, str) else "",
            (),
            None if problems else content + b"\n",
            tuple(problems),
        )

    def _size_problems(self, size_bytes: int, number: int) -> list[Problem]:
        limits = self._limits_for(self._observed.model)
        return size_problems(size_bytes, number, limits, self._observed.warnings)


def _ended(content: bytes) -> bytes:
    return content.removesuffix(b"\n").removesuffix(b"\r") + b"\n"
