"""Says what is wrong with a key or a value of a recipe, and what was probably meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from shared.formats.json.surrogates import without_surrogates
from shared.formats.visible_text import folded
from shared.ports.profile import ProviderProfile
from shared.problems.problem import Problem, Values, nearest
from shared.recipes.examples import entry_for, section_for
from shared.recipes.parameters import PARAMETERS
from shared.recipes.provider_rules import window_bounds
from shared.recipes.recipe import Output, PriceTerms, Recipe, UntilFits
from shared.recipes.tasks.task import TASKS
from shared.recipes.written import as_yaml
from shared.recipes.yaml_slips import SMART_QUOTES, has_smart_quotes

if TYPE_CHECKING:
    from shared.formats.yaml_values import Path, YamlValues


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
_SECTIONS: dict[str, type[BaseModel]] = {
    **TASKS,
    "output": Output,
    "price": PriceTerms,
    "until_fits": UntilFits,
}
# Keys that people write one level too high.
_ONE_LEVEL_DOWN = {
    **PARAMETERS,
    **{name: f"output: {{{name}: …}}" for name in ("format", "formula_guard")},
    **{name: f"price: {{{name}: …}}" for name in PriceTerms.model_fields},
    "times": "until_fits: {times: …}",
}
_OTHER_WORDS = {
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
    "预算": "at_most",
    "budget": "at_most",
    "limit": "at_most",
    "ceiling": "at_most",
    "max_cost": "at_most",
    "确认": "approve",
    "confirm": "approve",
}


def problem_for(details: ErrorDetails, tree: YamlValues, profile: ProviderProfile) -> Problem:
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
        word: key for word, key in _OTHER_WORDS.items() if key in known
    }
    return by_word.get(nearest(written, list(by_word)), "")
