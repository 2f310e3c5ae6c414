"""What a recipe's task means for its requests, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from shared.ports.profile import EMBEDDINGS, ProviderProfile
from shared.problems.problem import Problem, Values
from shared.recipes.recipe import Recipe
from shared.recipes.tasks.task import TASKS

if TYPE_CHECKING:
    from shared.formats.yaml_values import Path, YamlValues


def with_task(recipe: Recipe, profile: ProviderProfile) -> Recipe:
    """The recipe with what its task asks as its prompt, columns and parameters."""
    task = recipe.task
    if task is None:
        return recipe
    columns = task.schema_of_answers()
    wanted = dict(profile.json_parameters_for(recipe.model)) if columns else {}
    if recipe.parameters.get("enable_thinking"):
        # Most models do not take it while they think; the prompt asks for JSON all the same.
        wanted.pop("response_format", None)
    changes = {"prompt": task.prompt(), "columns": columns, "parameters": {**wanted, **recipe.parameters}}
    return recipe.model_copy(update=changes)


def question_problems(written: Mapping[str, object], tree: YamlValues) -> Iterator[Problem]:
    """A recipe asks one thing: its prompt, or one task."""
    asked = [key for key in written if key == "prompt" or key in TASKS]
    if not asked:
        yield Problem("recipe_without_question", field="prompt")
    for key in asked[1:]:
        values: Values = {"first": asked[0], "first_line": tree.line_of((asked[0],))}
        yield Problem("recipe_two_questions", tree.line_of((key,)), key, values=values)


def task_problems(recipe: Recipe, profile: ProviderProfile) -> Iterator[tuple[Path, Problem]]:
    """Each problem of a task, with the place of its cause in the recipe."""
    task = recipe.task
    if task is None:
        return
    if recipe.columns and not task.embeds:
        yield ("columns",), Problem("recipe_columns_of_task")
    usual = profile.rules.default_endpoint_for(recipe.model)
    # A model that is not known may be anything; its owner knows.
    is_chat = usual != EMBEDDINGS and not profile.model_warnings_for(recipe.model)
    if not task.embeds and recipe.endpoint == EMBEDDINGS:
        cause = "model" if usual == EMBEDDINGS else "endpoint"
        yield (cause,), Problem("recipe_needs_chat_model", found=getattr(recipe, cause))
    elif task.embeds and (is_chat or recipe.endpoint != EMBEDDINGS):
        cause = "model" if is_chat else "endpoint"
        yield (cause,), Problem("recipe_needs_embedding_model", found=getattr(recipe, cause))
