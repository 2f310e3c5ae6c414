"""Reads ``batch.yaml``: every mistake is a problem with its line."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import ValidationError

from shared.ports.profile import EMBEDDINGS, ProviderProfile
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem
from shared.recipes.columns.recipe_columns import column_problems, requested_format
from shared.recipes.key_problems import problem_for
from shared.recipes.provider_rules import (
    NO_MODEL,
    keys_beside_lines,
    keys_of_lines,
    provider_problems,
)
from shared.recipes.recipe import Output, PriceTerms, Recipe
from shared.recipes.recipe_text import RECIPE_FILE, decode
from shared.recipes.tasks.recipe_task import question_problems, task_problems, with_task
from shared.recipes.tasks.task import TASKS
from shared.recipes.yaml_slips import explained, with_misread

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
        return None, _once([*problems, *(problem_for(details, tree, profile) for details in error.errors())])


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
    from shared.recipes.templates.prompt_check import template_problems  # noqa: PLC0415 - loads jinja2, for a recipe only

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
