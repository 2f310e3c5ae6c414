"""Checks request lines, Bailian's own format, by what its Batch API accepts; changes none.

The rules: https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from shared.formats.binary_files import refuse_binary
from shared.formats.heads import peek, without_bom
from shared.formats.json.policies import StrictJson
from shared.formats.lines import Line, numbered_lines
from shared.inputs.inbox_keys import InputKind
from shared.inputs.requests.chat_messages import is_input, message_problem
from shared.inputs.requests.custom_ids import CustomIds
from shared.inputs.requests.foreign_lines import find_foreign_lines
from shared.inputs.requests.json_documents import find_document
from shared.inputs.requests.quick_requests import QuickRequests, RequestMode
from shared.inputs.requests.request_encoding import size_problems
from shared.inputs.rows import InputRow, Observations
from shared.ports.profile import EMBEDDINGS, ProviderProfile
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, Values
from shared.recipes.model_names import is_model_name

_BLANK = b" \t\r\n"
# Two requests on what is one line for all but old programs of Apple's; no string has a raw ``\r``.
_JOINED_BY_RETURN = re.compile(rb"\}\s*\r\s*\{")
_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class RequestLines:
    """The rows of a file of request lines, each of which is sent as it stands."""

    kind: ClassVar = InputKind.REQUEST_JSONL
    open_chunks: Callable[[], Iterable[bytes]]
    profile: ProviderProfile

    def rows(self, observed: Observations) -> Iterator[InputRow]:
        """Yield a row for each line that is not blank.

        Raises:
            UserInputError: It is not a text file, or it is in UTF-16.
        """
        head, chunks = peek(self.open_chunks())
        refuse_binary(head)
        if document := find_document(head) or find_foreign_lines(head):
            raise UserInputError([document])
        if head.startswith(_UTF16_BOMS):
            encoding = "UTF-32" if head.startswith(codecs.BOM_UTF32_LE) else "UTF-16"
            raise UserInputError(
                [Problem("utf16_jsonl", found=head[:2].hex(" "), values={"encoding": encoding})]
            )
        if b"\n" not in head and _JOINED_BY_RETURN.search(head):
            chunks = (chunk.replace(b"\r", b"\n") for chunk in chunks)
        checks = _FileChecks(self.profile, observed)
        for line in numbered_lines(without_bom(chunks), self.profile.limits_for("").max_line_bytes):
            # ``isspace`` stops at the first character; ``strip`` would copy every line.
            if line.content is None or not line.content.isspace() or line.content.strip(_BLANK):
                yield checks.row_for(line)
        observed.warnings.extend(self.profile.model_warnings_for(observed.model))


class _FileChecks:
    """Checks each line of one file, and what all its lines must have in common."""

    def __init__(self, profile: ProviderProfile, observed: Observations) -> None:
        self._limits_for = profile.limits_for
        self._rules = profile.rules
        self._observed = observed
        self._json = StrictJson()
        self._quick = QuickRequests(profile.rules.roles)
        self._mode: RequestMode | None = None
        self._warn_bytes = 0
        self._ids = CustomIds(profile.limits_for("").max_custom_id_chars)
        self._model_line = self._url_line = self._thinking_line = 0

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
        return InputRow(number, custom_id, (), request)

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
        problems += self._request_problems(request, number)
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

    def _request_problems(self, request: dict[str, Any], line: int) -> Iterator[Problem]:
        yield from self._custom_id_problems(request, line)
        if request.get("method") != "POST":
            yield _found("wrong_method", line, "method", request)
        yield from self._url_problems(request, line)
        body = request.get("body")
        if not isinstance(body, dict):
            yield _found("body_not_an_object", line, "body", request)
            return
        yield from self._model_problems(body, line)
        yield from self._pair_problems(request.get("url"), body.get("model"), line)
        yield from self._thinking_problems(body, line)
        if not isinstance(body.get("stream", False), bool | None) or body.get("stream"):
            yield _found("stream_in_batch", line, "body.stream", body)
        yield from self._content_problems(request.get("url"), body, line)

    def _custom_id_problems(self, request: dict[str, Any], line: int) -> Iterator[Problem]:
        custom_id = request.get("custom_id")
        if isinstance(custom_id, str):
            yield from self._ids.problems(custom_id, line)
        else:
            yield _found("custom_id_not_text", line, "custom_id", request)

    def _url_problems(self, request: dict[str, Any], line: int) -> Iterator[Problem]:
        url = request.get("url")
        endpoints = self._rules.urls
        if not isinstance(url, str) or url not in endpoints:
            yield _found("unsupported_url", line, "url", request, {"endpoints": ", ".join(sorted(endpoints))})
        elif not self._observed.endpoint:
            self._observed.endpoint, self._url_line = url, line
        elif url != self._observed.endpoint:
            values: Values = {"first": self._observed.endpoint, "first_line": self._url_line}
            yield Problem("mixed_url", line, "url", url, values)

    def _model_problems(self, body: dict[str, Any], line: int) -> Iterator[Problem]:
        model = body.get("model")
        if not isinstance(model, str) or not model.strip():
            yield _found("model_not_text", line, "body.model", body)
        elif model == self._observed.model:
            return
        elif not is_model_name(model):
            yield _found("not_a_model_name", line, "body.model", body)
        elif not self._observed.model:
            self._observed.model, self._model_line = model, line
        else:
            values: Values = {"first": self._observed.model, "first_line": self._model_line}
            yield Problem("mixed_model", line, "body.model", model, values)

    def _pair_problems(self, url: object, model: object, line: int) -> Iterator[Problem]:
        known = isinstance(url, str) and isinstance(model, str) and url in self._rules.urls
        if known and self._rules.are_mismatched(str(model), str(url)):
            values = {"model": str(model), "endpoint": str(url)}
            yield Problem("mismatched_test_model", line, "url", values=values)

    def _thinking_problems(self, body: dict[str, Any], line: int) -> Iterator[Problem]:
        if "extra_body" in body:
            yield Problem("extra_body", line, "body.extra_body")
        mode = body.get("enable_thinking")
        if not isinstance(mode, bool | None) or ("enable_thinking" in body and mode is None):
            yield _found("thinking_not_bool", line, "body.enable_thinking", body)
        elif not self._thinking_line:
            self._observed.thinking, self._thinking_line = mode, line
        elif mode != self._observed.thinking:
            values: Values = {"first": _mode(self._observed.thinking), "first_line": self._thinking_line}
            yield Problem("mixed_thinking", line, "body.enable_thinking", _mode(mode), values)

    def _content_problems(self, url: object, body: dict[str, Any], line: int) -> Iterator[Problem]:
        if url == EMBEDDINGS:
            if not is_input(body.get("input")):
                yield Problem("no_input", line, "body.input")
            return
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages:
            yield Problem("no_messages", line, "body.messages")
        elif problem := message_problem(messages, self._rules.roles, line):
            yield problem


def _ended(content: bytes) -> bytes:
    return content.removesuffix(b"\n").removesuffix(b"\r") + b"\n"


def _mode(thinking: bool | None) -> str:
    return {True: "true", False: "false", None: "-"}[thinking]


def _found(code: str, line: int, field: str, holder: dict[str, Any], values: Values | None = None) -> Problem:
    name = field.rpartition(".")[2]
    value = holder.get(name, "-")
    found = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Problem(code, line, field, found, values or {})
