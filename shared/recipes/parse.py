"""Reads ``batch.yaml``: every mistake is a problem with its line."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.formats.json.surrogates import without_surrogates
from shared.formats.visible_text import folded
from shared.ports.profile import EMBEDDINGS, ProviderProfile
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, Values, nearest
from shared.recipes.columns.recipe_columns import column_problems, requested_format
from shared.recipes.examples import entry_for, section_for
from shared.recipes.parameters import PARAMETERS
from shared.recipes.provider_rules import (
    NO_MODEL,
    keys_beside_lines,
    keys_of_lines,
    provider_problems,
    window_bounds,
)
from shared.recipes.recipe import Output, PriceTerms, Recipe, UntilFits
from shared.recipes.recipe_text import RECIPE_FILE, decode
from shared.recipes.tasks.recipe_task import question_problems, task_problems, with_task
from shared.recipes.tasks.task import TASKS
from shared.recipes.written import as_yaml
from shared.recipes.yaml_slips import SMART_QUOTES, explained, has_smart_quotes, with_misread

if TYPE_CHECKING:
    from shared.formats.yaml_values import Path, YamlValues


NO_PROMPT = "-"


def parse_recipe(
    content: bytes, profile: ProviderProfile, *, needs_question: bool = True, is_beside_lines: bool = False
) -> Recipe:
    """Read ``batch.yaml``, in UTF-8 or GB18030, for the provider that it names.

    Without ``needs_question`` a recipe may say nothing but how request lines are run and their
    results written; then its prompt is ``NO_PROMPT``, and so is its model if the lines name one.
    Where they name none, a recipe ``is_beside_lines`` must say no more than that.

    Raises:
        UserInputError: With every problem found, each with its line.
    """
    try:
        return _parse(content, profile, needs_question, is_beside_lines)
    except UserInputError as error:
        named = [dataclasses.replace(problem, file=RECIPE_FILE) for problem in error.problems]
        raise UserInputError(named) from error


def _parse(content: bytes, profile: ProviderProfile, needs_question: bool, is_beside_lines: bool) -> Recipe:
    from shared.formats.yaml_values import parse_yaml_mapping  # noqa: PLC0415 - most files have no recipe

    text = decode(content)
    try:
        tree = parse_yaml_mapping(text)
    except UserInputError as error:
        raise UserInputError(explained(error.problems, text)) from error
    is_addressed = profile.rules.form.is_addressed
    if is_beside_lines and (ignored := [*keys_beside_lines(tree, profile)]):
        raise UserInputError(ignored)
    known = tree.values.keys() & Recipe.model_fields.keys()
    if not needs_question and known and known <= keys_of_lines(profile.rules.form):
        tree.values |= {"prompt": NO_PROMPT, **({"model": NO_MODEL} if is_addressed else {})}
    recipe, problems = _validate(tree, profile)
    problems = explained(with_misread(problems, tree, text), text)
    if recipe is not None:
        problems.extend(_contradictions(recipe, tree, profile))
    if recipe is None or problems:
        raise UserInputError(sorted(problems, key=lambda problem: problem.line or 0))
    if recipe.task is not None:
        return with_task(recipe, profile)
    return recipe.model_copy(update={"parameters": {**recipe.parameters, **requested_format(recipe)}})


def _validate(tree: YamlValues, profile: ProviderProfile) -> tuple[Recipe | None, list[Problem]]:
    rules = profile.rules
    # A key without a value was not filled in: the same as leaving it out.
    written = {key: value for key, value in tree.values.items() if value is not None}
    model = written.get("model")
    default = rules.default_endpoint_for(model if isinstance(model, str) else "")
    written.setdefault("endpoint", EMBEDDINGS if "embed" in written else default)
    problems = [*tree.problems, *question_problems(written, tree)]
    try:
        return Recipe.model_validate(written, context=rules), problems
    except ValidationError as error:
        return None, _once([*problems, *(_problem_for(details, tree, profile) for details in error.errors())])


def _once(problems: list[Problem]) -> list[Problem]:
    """Without the required keys that are there, but misspelt."""
    meant = {problem.values.get(name) for problem in problems for name in ("nearest", "write")}
    # Any question is one, so that a misspelt task stands for it, too.
    meant |= {"prompt"} if meant & TASKS.keys() else set()
    absent = {"recipe_missing_key", "recipe_without_question"}
    return [
        each for each in problems if each.code not in absent or (each.field or "").split(".")[-1] not in meant
    ]


def _contradictions(recipe: Recipe, tree: YamlValues, profile: ProviderProfile) -> Iterator[Problem]:
    from shared.recipes.prompts import template_problems  # noqa: PLC0415 - loads jinja2, for a recipe only

    yield from provider_problems(recipe, tree, profile)
    answers = recipe.parameters.get("n")
    if answers not in (None, 1) and (recipe.columns or recipe.classify or recipe.extract):
        yield Problem(
            "recipe_several_answers", tree.line_of(("parameters", "n")), "parameters.n", str(answers)
        )
    if recipe.reuse is not None and not recipe.asks_once:
        found = "dedupe: false" if not recipe.dedupe else f"parameters: {{n: {answers}}}"
        yield Problem("recipe_reuse_of_each", tree.line_of(("reuse",)), "reuse", found)
    if recipe.endpoint == EMBEDDINGS and recipe.system is not None:
        yield Problem("recipe_system_unused", tree.line_of(("system",)), "system")
    of_parts = (*_output_problems(recipe.output), *_price_problems(recipe.price))
    problems = (*of_parts, *column_problems(recipe), *task_problems(recipe, profile))
    for path, problem in problems:
        yield dataclasses.replace(problem, line=tree.line_of(path), field=".".join(map(str, path)))
    for field in ("system", "prompt"):
        for problem in template_problems(getattr(recipe, field) or "", field):
            yield dataclasses.replace(problem, line=tree.line_of((field,)))


def _output_problems(output: Output) -> Iterator[tuple[Path, Problem]]:
    # Refuse what would be ignored: somebody counts on it.
    ignored = output.model_fields_set & ({"encoding", "formula_guard"} if output.format != "csv" else set())
    values = {"format": output.format}
    if "encoding" in ignored and output.encoding != "utf-8":
        yield ("output", "encoding"), Problem("recipe_jsonl_is_raw", found=output.encoding, values=values)
    if "formula_guard" in ignored and output.formula_guard:
        yield ("output", "formula_guard"), Problem("recipe_jsonl_is_raw", found="true", values=values)


def _price_problems(price: PriceTerms) -> Iterator[tuple[Path, Problem]]:
    if price.expect is not None and price.sample is None:
        yield ("price", "expect"), Problem("expect_without_sample")
    if price.approve is None and "approve_within" in price.model_fields_set:
        yield ("price", "approve_within"), Problem("within_without_approve")


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
    "list_type": "recipe_not_names",
    "literal_error": "recipe_choice",
    "bool_type": "recipe_choice",
}
_CHOICES = {
    "on_bad_rows": "refuse, skip",
    "on_empty": "skip, send, refuse",
    "dedupe": "true, false",
    "delimiter": '",", ";", "|", "tab"',
    "output.encoding": "utf-8-sig, utf-8, gb18030",
    "output.format": "csv, jsonl, parquet, xlsx",
    "output.formula_guard": "true, false",
}


# Those with keys of their own.
_SECTIONS: dict[str, type[BaseModel]] = {**TASKS, "output": Output, "price": PriceTerms}
_SECTIONS |= {"until_fits": UntilFits}
# Keys that people write one level too high.
_ONE_LEVEL_DOWN = PARAMETERS | {name: f"output: {{{name}: …}}" for name in ("format", "formula_guard")}
_ONE_LEVEL_DOWN |= {name: f"price: {{{name}: …}}" for name in PriceTerms.model_fields}
_ONE_LEVEL_DOWN |= {"times": "until_fits: {times: …}"}
_IN_CHINESE = {
    "服务商": "provider",
    "平台": "provider",
    "模型": "model",
    "提示词": "prompt",
    "系统": "system",
    "系统提示词": "system",
    "参数": "parameters",
    "编码": "encoding",
    "分隔符": "delimiter",
    "工作表": "sheet",
    "输出": "output",
    "格式": "format",
    "列": "columns",
    "价格": "price",
    "费用": "price",
    "上限": "at_most",
    "复用": "reuse",
    "批准": "approve",
    "审批": "approve",
    "样本": "sample",
    "抽样": "sample",
    "正确答案": "expect",
}


def _problem_for(details: ErrorDetails, tree: YamlValues, profile: ProviderProfile) -> Problem:
    path: Path = tuple(details["loc"])
    context: dict[str, Any] = details.get("ctx", {})
    if details["type"] == "extra_forbidden":
        return _unknown_key(path, tree)
    if details["type"] == "missing":
        line = tree.line_of(path) if len(path) > 1 else None
        model = profile.rules.example_model
        values = {"write": f"model: {model}" if path == ("model",) else entry_for(str(path[-1]))}
        return Problem("recipe_missing_key", line, ".".join(map(str, path)), values=values)
    if "parameter" in context:
        path = (*path, context["parameter"])
    field = ".".join(map(str, path))
    if "parameter" in context or "found" in context:
        values = {"write": context["write"]} if "write" in context else {}
        return Problem(details["type"], tree.line_of(path), field, context.get("found"), values)
    code = _CODES.get(details["type"], details["type"])
    found = without_surrogates(as_yaml(details["input"]))
    if has_smart_quotes(found):
        write = found.strip(SMART_QUOTES)
        return Problem("recipe_quotes", tree.line_of(path), field, found, {"write": write})
    return Problem(code, tree.line_of(path), field, found, _values_for(code, path, details, profile))


def _values_for(code: str, path: Path, details: ErrorDetails, profile: ProviderProfile) -> Values:
    if code == "recipe_window":
        return window_bounds(profile.limits_for(""))
    if code == "recipe_reuse":
        return {"most": details["ctx"]["most"]}
    if code == "not_a_model_name":
        return {"model": profile.rules.example_model}
    if code == "recipe_choice":
        return {"choices": details.get("ctx", {}).get("choices") or _CHOICES[".".join(map(str, path))]}
    if code == "recipe_not_a_section":
        return {"write": section_for(str(path[0]), details["input"])}
    return {}


def _unknown_key(path: Path, tree: YamlValues) -> Problem:
    section = Recipe if len(path) == 1 else _SECTIONS.get(str(path[0]), Output)
    known = sorted(section.model_fields)
    key = str(path[-1])
    meant = _meant_by(key, [*known, *(_ONE_LEVEL_DOWN if len(path) == 1 else ())])
    if has_smart_quotes(key):
        return Problem("recipe_quotes", tree.line_of(path), None, key, {"write": meant})
    values = {
        "nearest": meant if meant in known else _ONE_LEVEL_DOWN.get(meant, meant),
        "known": ", ".join(known),
    }
    return Problem("recipe_unknown_key", tree.line_of(path), ".".join(map(str, path)), key, values)


def _meant_by(key: str, known: Sequence[str]) -> str:
    """The key that somebody meant who wrote another; case, width and quotes do not matter."""
    written = folded(key.strip(SMART_QUOTES))
    by_word = {name: name for name in known} | {
        word: key for word, key in _IN_CHINESE.items() if key in known
    }
    return by_word.get(nearest(written, list(by_word)), "")
