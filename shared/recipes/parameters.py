"""What a recipe may say in ``parameters``; they are passed on as they are, if they can be meant."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from pydantic import JsonValue, ValidationInfo
from pydantic_core import PydanticCustomError

from shared.formats.visible_text import shortened
from shared.ports.profile import RequestRules

RESERVED_PARAMETERS = frozenset({"model", "messages", "input", "stream"})

# Parameters that people write one level too high; any other is passed on as it is.
PARAMETERS = {
    name: f"parameters: {{{name}: …}}"
    for name in ("temperature", "top_p", "max_tokens", "seed", "stop", "enable_thinking", "thinking_budget",
                 "thinking", "response_format", "dimensions", "encoding_format", "presence_penalty")
}  # fmt: skip
# Those that are numbers, whoever the provider is.
_NUMBERS = frozenset(
    ("temperature", "top_p", "top_k", "max_tokens", "max_completion_tokens", "n", "seed", "thinking_budget",
     "dimensions", "presence_penalty", "frequency_penalty", "repetition_penalty", "top_logprobs")
)  # fmt: skip
# Those that say one of a few words, as the type of a mapping.
_MAPPINGS = ("response_format", "thinking")
_SWITCH = {True: "enabled", False: "disabled"}
# YAML's words for what no JSON can hold.
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|nan)", re.IGNORECASE)
# ``{max_tokens: 1,000}`` has a second key, 000, and ``{seed:7}`` one without a value.
_REST_OF_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_KEY_AND_VALUE = re.compile(r"(?P<key>\w+)\s*(?:[:：﹕∶＝=]\s*|\s)(?P<value>\S.*)", re.DOTALL)


def allowed_parameters(parameters: dict[str, JsonValue], info: ValidationInfo) -> dict[str, JsonValue]:
    """The same parameters; ``info.context`` are the provider's rules.

    What is no parameter of this provider at all is told elsewhere.

    Raises:
        PydanticCustomError: Names the first that is not possible, and what is wrong with it.
    """
    for name in sorted(RESERVED_PARAMETERS & parameters.keys()):
        raise _refusal("recipe_reserved_parameter", name)
    if "extra_body" in parameters:
        raise _refusal("extra_body", "extra_body")
    foreign = info.context.foreign_parameters if isinstance(info.context, RequestRules) else {}
    if not isinstance(parameters.get("enable_thinking", True), bool) and "enable_thinking" not in foreign:
        found = json.dumps(parameters["enable_thinking"], ensure_ascii=False)
        raise _refusal("thinking_not_bool", "enable_thinking", found)
    for path, code, found, write in _slips(parameters):
        raise _refusal(code, path, found, write=write)
    for name, value in parameters.items():
        is_wrong = name in _NUMBERS and value is not None and type(value) not in (int, float)
        if is_wrong or not _is_finite(value):
            raise _refusal("recipe_not_a_number", name, _as_text(value))
        word = _SWITCH.get(value, value) if name == "thinking" and isinstance(value, bool) else value
        if name in _MAPPINGS and name not in foreign and isinstance(word, str):
            raise _refusal(
                "recipe_parameter_mapping", name, _as_text(value), write=f"{name}: {{type: {word}}}"
            )
    return parameters


def _slips(values: Mapping[str, JsonValue]) -> Iterator[tuple[str, str, str, str]]:
    """Keys that YAML sees where no key was meant: the key before, a code, what stands there, and
    what to write.
    """
    before, number = "", ""
    for key, value in values.items():
        if value is None and number and _REST_OF_NUMBER.fullmatch(key):
            yield before, "recipe_not_a_number", f"{number},{key}", ""
        if value is None and (match := _KEY_AND_VALUE.fullmatch(key)):
            yield match["key"], "recipe_colon", key, f"{match['key']}: {match['value']}"
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from _slips(inner)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        before, number = key, _as_text(value) if is_number else ""


def _as_text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _refusal(code: str, name: str, found: str | None = None, *, write: str = "") -> PydanticCustomError:
    context = {"parameter": name}
    if found is not None:
        context["found"] = shortened(found)
    if write:
        context["write"] = write
    return PydanticCustomError(code, "wrong", context)


def _is_finite(value: JsonValue) -> bool:
    """Whether there is none of YAML's infinities in it, which would be sent as texts."""
    if isinstance(value, str):
        return _NOT_FINITE.fullmatch(value) is None
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(map(_is_finite, inner))
