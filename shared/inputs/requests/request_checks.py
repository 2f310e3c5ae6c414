"""Checks one request line after the other, and what all those of a file must have in common.

The rules: https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai, and for
lines without an address https://www.volcengine.com/docs/82379/1399517: one bad line fails a batch.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from shared.inputs.requests.chat_messages import is_input, message_problem
from shared.inputs.requests.custom_ids import CustomIds
from shared.inputs.rows import Observations
from shared.ports.profile import EMBEDDINGS, ProviderProfile
from shared.problems.problem import Problem, Values
from shared.recipes.model_names import is_model_name


def checks_for(profile: ProviderProfile, ids: CustomIds, observed: Observations) -> RequestChecks:
    """The checks of the provider's form of lines; ``observed`` has the model that none names."""
    kind = AddressedChecks if profile.rules.form.is_addressed else BareChecks
    return kind(profile, ids, observed)


class RequestChecks(ABC):
    """What all forms have in common."""

    def __init__(self, profile: ProviderProfile, ids: CustomIds, observed: Observations) -> None:
        self._rules = profile.rules
        self._terms = profile.terms
        self._ids = ids
        self._observed = observed

    def problems(self, request: dict[str, Any], line: int) -> Iterator[Problem]:
        yield from self._custom_id_problems(request, line)
        yield from self._address_problems(request, line)
        body = request.get("body")
        if not isinstance(body, dict):
            yield _found("body_not_an_object", line, "body", request)
            return
        yield from self._body_problems(request, body, line)
        if not isinstance(body.get("stream", False), bool | None) or body.get("stream"):
            yield _found("stream_in_batch", line, "body.stream", body)
        yield from self._content_problems(self._url_of(request), body, line)

    def _custom_id_problems(self, request: dict[str, Any], line: int) -> Iterator[Problem]:
        custom_id = request.get("custom_id")
        if isinstance(custom_id, str):
            yield from self._ids.problems(custom_id, line)
        else:
            yield _found("custom_id_not_text", line, "custom_id", request)

    @abstractmethod
    def _address_problems(self, request: dict[str, Any], line: int) -> Iterator[Problem]:
        """What is wrong beside id and body."""

    @abstractmethod
    def _body_problems(self, request: dict[str, Any], body: dict[str, Any], line: int) -> Iterator[Problem]:
        """What is wrong with the body but for what is asked."""

    @abstractmethod
    def _url_of(self, request: dict[str, Any]) -> object:
        """The URL by which the body is judged."""

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


class AddressedChecks(RequestChecks):
    """Each line names its method, its URL and its model."""

    def __init__(self, profile: ProviderProfile, ids: CustomIds, observed: Observations) -> None:
        super().__init__(profile, ids, observed)
        self._model_line = self._url_line = self._thinking_line = 0

    def _url_of(self, request: dict[str, Any]) -> object:
        return request.get("url")

    def _address_problems(self, request: dict[str, Any], line: int) -> Iterator[Problem]:
        if request.get("method") != "POST":
            yield _found("wrong_method", line, "method", request)
        yield from self._url_problems(request, line)

    def _body_problems(self, request: dict[str, Any], body: dict[str, Any], line: int) -> Iterator[Problem]:
        yield from self._model_problems(body, line)
        yield from self._pair_problems(request.get("url"), body.get("model"), line)
        yield from self._thinking_problems(body, line)

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
            values: Values = {"model": self._rules.example_model}
            yield _found("not_a_model_name", line, "body.model", body, values)
        elif not self._observed.model:
            self._observed.model, self._model_line = model, line
        else:
            values = {"first": self._observed.model, "first_line": self._model_line}
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


class BareChecks(RequestChecks):
    """Each line is an id and a body; URL and model are the recipe's."""

    def _url_of(self, request: dict[str, Any]) -> object:
        return self._observed.endpoint

    def _address_problems(self, request: dict[str, Any], line: int) -> Iterator[Problem]:
        body = request.get("body")
        keys: list[str] = [key for key in ("method", "url") if key in request]
        keys += ["body.model"] if isinstance(body, dict) and "model" in body else []
        if keys:
            values = {**self._rules.other_form, **self._provider, "keys": ", ".join(keys)}
            yield Problem("line_of_other_form", line, keys[0], values=values)
        for key in request:
            if key not in {"custom_id", "body", "method", "url"}:
                yield Problem("unknown_line_key", line, None, key, self._provider)

    def _body_problems(self, request: dict[str, Any], body: dict[str, Any], line: int) -> Iterator[Problem]:
        if "extra_body" in body:
            yield Problem("extra_body", line, "body.extra_body")
        for name, instead in self._rules.foreign_parameters.items():
            if name in body:
                values = {**self._provider, "write": instead(body[name])}
                yield Problem("foreign_parameter", line, f"body.{name}", name, values)

    @property
    def _provider(self) -> Values:
        return {"provider": self._terms["provider"]}


def _mode(thinking: bool | None) -> str:
    return {True: "true", False: "false", None: "-"}[thinking]


def _found(code: str, line: int, field: str, holder: dict[str, Any], values: Values | None = None) -> Problem:
    name = field.rpartition(".")[2]
    value = holder.get(name, "-")
    is_plain = isinstance(value, str) and not _reads_as_json(value)
    found = value if is_plain else json.dumps(value, ensure_ascii=False)
    return Problem(code, line, field, found, values or {})


def _reads_as_json(text: str) -> bool:
    """Whether a text looks right without its quotes, such as "true" or "{}"."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
