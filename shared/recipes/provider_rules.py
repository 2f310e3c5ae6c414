"""What a recipe must hold for its provider, and what may stand beside the provider's lines."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

from shared.ports.profile import LineForm, ProviderProfile, ShardLimits
from shared.problems.problem import Problem, Values
from shared.recipes.recipe import Recipe

if TYPE_CHECKING:
    from shared.formats.yaml_values import YamlValues

# The keys of a recipe that matter to request lines; the others say how requests are made.
_OF_REQUEST_LINES = frozenset(
    {"provider", "output", "on_bad_rows", "attempts", "completion_window", "notify", "price"}
)
# The model of a recipe for lines that name their own.
NO_MODEL = "-"
# If the lines do not say it themselves.
_ADDRESS = frozenset({"model", "endpoint"})


def keys_of_lines(form: LineForm) -> frozenset[str]:
    """The keys of a recipe for nothing but request lines."""
    return _OF_REQUEST_LINES if form.is_addressed else _OF_REQUEST_LINES | _ADDRESS


def keys_beside_lines(tree: YamlValues, profile: ProviderProfile) -> Iterator[Problem]:
    """What a recipe says to no purpose beside lines that it alone gives a model; refused.

    Beside others it may be the tables' recipe, but who has answers asked again counts on it.
    """
    if profile.rules.form.is_addressed:
        if tree.values.get("until_fits") is not None:
            yield Problem("until_fits_of_lines", tree.line_of(("until_fits",)), "until_fits")
        return
    of_tables = Recipe.model_fields.keys() - keys_of_lines(profile.rules.form)
    for key, value in tree.values.items():
        if key in of_tables and value is not None:
            values = {"provider": profile.terms["provider"]}
            yield Problem("recipe_beside_lines", tree.line_of((key,)), key, values=values)


def provider_problems(recipe: Recipe, tree: YamlValues, profile: ProviderProfile) -> Iterator[Problem]:
    """What this provider does not take."""
    rules, limits = profile.rules, profile.limits_for(recipe.model)
    if not limits.min_window <= recipe.completion_window <= limits.max_window:
        found, line = str(tree.values.get("completion_window")), tree.line_of(("completion_window",))
        yield Problem("recipe_window", line, "completion_window", found, window_bounds(limits))
    if recipe.model != NO_MODEL and (problem := profile.model_problem_for(recipe.model)):
        yield dataclasses.replace(problem, line=tree.line_of(("model",)))
    if rules.are_mismatched(recipe.model, recipe.endpoint):
        values: Values = {"model": recipe.model, "endpoint": recipe.endpoint}
        yield Problem("mismatched_test_model", tree.line_of(("endpoint",)), "endpoint", values=values)
    for name in sorted(recipe.parameters.keys() & rules.foreign_parameters):
        write = rules.foreign_parameters[name](recipe.parameters[name])
        values = {"provider": profile.terms["provider"], "write": write}
        line, field = tree.line_of(("parameters", name)), f"parameters.{name}"
        yield Problem("foreign_parameter", line, field, name, values)


def window_bounds(limits: ShardLimits) -> Values:
    """The bounds of the completion window, which are whole days."""
    days = {"min_days": limits.min_window.days, "max_days": limits.max_window.days}
    return {**days, "min_hours": 24 * days["min_days"], "max_hours": 24 * days["max_days"]}
