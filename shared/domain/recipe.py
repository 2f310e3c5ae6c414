"""The recipe, ``batch.yaml``: what is to be asked about each row of the CSV files in its folder."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from shared.domain.errors import UserInputError
from shared.domain.limits import EMBEDDINGS
from shared.domain.problems import Problem, nearest
from shared.domain.provider_profile import ProviderProfile, RequestRules
from shared.domain.recipe_columns import column_problems, requested_format
from shared.domain.texts import without_surrogates

if TYPE_CHECKING:
    from shared.domain.yaml_values import Path, YamlValues

RECIPE_FILE = "batch.yaml"
MAX_RECIPE_BYTES = 64 * 1024
RESERVED_PARAMETERS = frozenset({"model", "messages", "input", "stream"})

# What people write one level too high; every other parameter is passed on as it is.
_PARAMETERS = {
    name: f"parameters: {{{name}: …}}"
    for name in ("temperature", "top_p", "max_tokens", "seed", "stop", "enable_thinking", "thinking_budget",
                 "response_format", "dimensions", "encoding_format", "presence_penalty")
}  # fmt: skip
_ENCODINGS = {"utf8": "utf-8", "utf-8-sig": "utf-8", "gbk": "gb18030", "gb2312": "gb18030", "utf16": "utf-16"}
_WINDOW = re.compile(r"([1-9][0-9]{0,3})([hd])", re.ASCII)


def _written(text: object) -> object:
    # An empty value would be sent, and paid for, as an empty message.
    if isinstance(text, str) and not text.strip():
        raise PydanticCustomError("recipe_empty_text", "empty")
    return text


def _window(value: object) -> object:
    match = _WINDOW.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    return timedelta(**{{"h": "hours", "d": "days"}[match[2]]: int(match[1])})


def _encoding(value: object) -> object:
    return _ENCODINGS.get(value.lower(), value.lower()) if isinstance(value, str) else value


def _endpoint(value: object, info: ValidationInfo) -> object:
    """The URL for the provider's word or URL; ``info.context`` are the provider's rules."""
    if not isinstance(info.context, RequestRules):
        return value
    url = info.context.endpoints.get(value, value) if isinstance(value, str) else ""
    if url not in info.context.urls:
        choices = ", ".join(info.context.endpoints)
        raise PydanticCustomError("recipe_choice", "no endpoint", {"choices": choices})
    return url


def _delimiter(value: object) -> object:
    return "\t" if value == "tab" else value


def _parameters(parameters: dict[str, JsonValue]) -> dict[str, JsonValue]:
    for name in sorted(RESERVED_PARAMETERS & parameters.keys()):
        raise PydanticCustomError("recipe_reserved_parameter", "reserved", {"parameter": name})
    if "extra_body" in parameters:
        raise PydanticCustomError("extra_body", "extra_body", {"parameter": "extra_body"})
    if not isinstance(parameters.get("enable_thinking", True), bool):
        raise PydanticCustomError("thinking_not_bool", "no bool", {"parameter": "enable_thinking"})
    return parameters


Text = Annotated[str, AfterValidator(_written)]


class Output(BaseModel):
    """How the result is written. ``encoding`` and ``formula_guard`` are a CSV's; JSONL and Parquet are UTF-8, and raw."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal["csv", "jsonl", "parquet"] = "csv"
    encoding: Literal["utf-8-sig", "utf-8", "gb18030"] = "utf-8-sig"
    formula_guard: bool = True


class Recipe(BaseModel):
    """A recipe whose values are all allowed; whether its columns exist is known only with a file.

    ``endpoint`` is the URL of the requests, which ``parse_recipe`` fills in; ``encoding`` and
    ``delimiter`` are ``None`` where they are detected, ``sheet`` for the first one; ``parameters``
    hold the ``response_format`` that ``columns`` ask for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    model: Text
    prompt: Text
    system: Text | None = None
    parameters: Annotated[dict[str, JsonValue], AfterValidator(_parameters)] = Field(default_factory=dict)
    endpoint: Annotated[str, BeforeValidator(_endpoint)] = ""
    completion_window: Annotated[timedelta, BeforeValidator(_window)] = timedelta(hours=24)
    on_bad_rows: Literal["refuse", "skip"] = "refuse"
    attempts: int = Field(default=2, ge=1, le=5)
    encoding: Annotated[Literal["utf-8", "gb18030", "utf-16"] | None, BeforeValidator(_encoding)] = None
    delimiter: Annotated[Literal[",", ";", "\t", "|"] | None, BeforeValidator(_delimiter)] = None
    sheet: Text | None = None
    output: Output = Output()
    columns: dict[str, JsonValue] = Field(default_factory=dict)

    @property
    def thinking(self) -> bool | None:
        """The thinking mode asked for; ``None`` leaves it to the model."""
        value = self.parameters.get("enable_thinking")
        return value if isinstance(value, bool) else None


def parse_recipe(content: bytes, profile: ProviderProfile) -> Recipe:
    """Read ``batch.yaml``, in UTF-8 or GB18030, for one provider.

    Raises:
        UserInputError: With every problem found, each with its line.
    """
    try:
        return _parse(content, profile)
    except UserInputError as error:
        named = [dataclasses.replace(problem, file=RECIPE_FILE) for problem in error.problems]
        raise UserInputError(named) from error


def _parse(content: bytes, profile: ProviderProfile) -> Recipe:
    from shared.domain.yaml_values import parse_yaml_mapping  # noqa: PLC0415 - most files have no recipe

    tree = parse_yaml_mapping(_decode(content))
    recipe, problems = _validate(tree, profile.rules)
    if recipe is not None:
        problems.extend(_contradictions(recipe, tree, profile))
    if recipe is None or problems:
        raise UserInputError(sorted(problems, key=lambda problem: problem.line or 0))
    return recipe.model_copy(update={"parameters": {**recipe.parameters, **requested_format(recipe)}})


def _decode(content: bytes) -> str:
    if len(content) > MAX_RECIPE_BYTES:
        values = {"size_bytes": len(content), "max_bytes": MAX_RECIPE_BYTES}
        raise UserInputError([Problem("recipe_too_large", values=values)])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("gb18030")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = content[error.start : error.start + 4].hex(" ")
        raise UserInputError([Problem("recipe_encoding", line, found=found)]) from error


def _validate(tree: YamlValues, rules: RequestRules) -> tuple[Recipe | None, list[Problem]]:
    # A key without a value is a key that was not filled in: the same as leaving it out.
    written = {key: value for key, value in tree.values.items() if value is not None}
    model = written.get("model")
    written.setdefault("endpoint", rules.default_endpoint_for(model if isinstance(model, str) else ""))
    try:
        return Recipe.model_validate(written, context=rules), tree.problems
    except ValidationError as error:
        return None, [*tree.problems, *(_problem_for(details, tree) for details in error.errors())]


def _contradictions(recipe: Recipe, tree: YamlValues, profile: ProviderProfile) -> Iterator[Problem]:
    from shared.domain.prompts import template_problems  # noqa: PLC0415 - loads jinja2, for a recipe only

    limits = profile.limits_for(recipe.model)
    if not limits.min_window <= recipe.completion_window <= limits.max_window:
        found = str(tree.values.get("completion_window"))
        yield Problem("recipe_window", tree.line_of(("completion_window",)), "completion_window", found)
    if profile.rules.are_mismatched(recipe.model, recipe.endpoint):
        values = {"model": recipe.model, "endpoint": recipe.endpoint}
        yield Problem("mismatched_test_model", tree.line_of(("endpoint",)), "endpoint", values=values)
    if recipe.endpoint == EMBEDDINGS and recipe.system is not None:
        yield Problem("recipe_system_unused", tree.line_of(("system",)), "system")
    for path, problem in (*_output_problems(recipe.output), *column_problems(recipe)):
        yield dataclasses.replace(problem, line=tree.line_of(path), field=".".join(map(str, path)))
    for field in ("system", "prompt"):
        for problem in template_problems(getattr(recipe, field) or "", field):
            yield dataclasses.replace(problem, line=tree.line_of((field,)))


def _output_problems(output: Output) -> Iterator[tuple[Path, Problem]]:
    # What would be ignored is refused: somebody counts on it.
    ignored = output.model_fields_set & ({"encoding", "formula_guard"} if output.format != "csv" else set())
    values = {"format": output.format}
    if "encoding" in ignored and output.encoding != "utf-8":
        yield ("output", "encoding"), Problem("recipe_jsonl_is_raw", found=output.encoding, values=values)
    if "formula_guard" in ignored and output.formula_guard:
        yield ("output", "formula_guard"), Problem("recipe_jsonl_is_raw", found="true", values=values)


# pydantic's error types, by what they mean to the person who wrote the recipe.
_CODES = {
    "string_type": "recipe_not_text",
    "string_unicode": "lone_surrogate",
    "dict_type": "recipe_not_a_section",
    "model_type": "recipe_not_a_section",
    "model_attributes_type": "recipe_not_a_section",
    "int_type": "recipe_attempts",
    "greater_than_equal": "recipe_attempts",
    "less_than_equal": "recipe_attempts",
    "time_delta_type": "recipe_window",
    "literal_error": "recipe_choice",
    "bool_type": "recipe_choice",
}
_CHOICES = {
    "on_bad_rows": "refuse, skip",
    "encoding": "utf-8, gb18030, utf-16",
    "delimiter": '",", ";", "|", "tab"',
    "output.encoding": "utf-8-sig, utf-8, gb18030",
    "output.format": "csv, jsonl, parquet",
    "output.formula_guard": "true, false",
}


def _problem_for(details: ErrorDetails, tree: YamlValues) -> Problem:
    path: Path = tuple(details["loc"])
    context: dict[str, Any] = details.get("ctx", {})
    if details["type"] == "extra_forbidden":
        return _unknown_key(path, tree)
    if details["type"] == "missing":
        return Problem("recipe_missing_key", field=str(path[0]))
    if "parameter" in context:
        path = (*path, context["parameter"])
        return Problem(details["type"], tree.line_of(path), ".".join(map(str, path)))
    field = ".".join(map(str, path))
    code = _CODES.get(details["type"], details["type"])
    values = {"choices": context.get("choices") or _CHOICES[field]} if code == "recipe_choice" else {}
    return Problem(code, tree.line_of(path), field, without_surrogates(str(details["input"])), values)


def _unknown_key(path: Path, tree: YamlValues) -> Problem:
    known = sorted(Recipe.model_fields if len(path) == 1 else Output.model_fields)
    key = str(path[-1])
    meant = nearest(key, [*known, *(_PARAMETERS if len(path) == 1 else ())])
    values = {"nearest": _PARAMETERS.get(meant, meant), "known": ", ".join(known)}
    return Problem("recipe_unknown_key", tree.line_of(path), ".".join(map(str, path)), key, values)
