"""Recognises files whose lines are JSON, but no requests in the form that is read here."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from shared.formats.heads import LOOKED_AT_BYTES
from shared.ports.profile import CHAT, ProviderProfile, RequestRules
from shared.problems.problem import Bilingual, Problem

# By the keys that a line has, from the most telling on.
_FORMS: Mapping[frozenset[str], Bilingual] = {
    frozenset({"custom_id", "params"}): Bilingual("Anthropic 的批量请求", "batch requests for Anthropic"),
    frozenset({"request"}): Bilingual("Gemini 的批量请求", "batch requests for Gemini"),
    frozenset({"modelInput"}): Bilingual("Bedrock 的批量请求", "batch requests for Bedrock"),
    frozenset({"contents"}): Bilingual("Gemini 的请求内容", "the bodies of requests for Gemini"),
    frozenset({"custom_id", "response"}): Bilingual("批量任务的结果", "the results of a batch"),
    frozenset({"model", "messages"}): Bilingual(
        "只有请求内容、缺少 custom_id 等外层字段的数据", "request bodies without custom_id, method and url"
    ),
    frozenset({"messages"}): Bilingual("对话或微调数据", "conversations, or data for fine-tuning"),
    frozenset({"conversations"}): Bilingual("对话或微调数据", "conversations, or data for fine-tuning"),
    frozenset({"prompt", "completion"}): Bilingual("微调数据", "data for fine-tuning"),
    frozenset({"instruction", "output"}): Bilingual("微调数据", "data for fine-tuning"),
}
_ROWS = Bilingual("每行一条数据", "each line is a row of data")
_TABLE = Bilingual("以逗号等分隔的表格", "cells with commas or tabs between them")
_PYTHON = Bilingual("Python 的写法，用的是单引号", "each line is as Python writes it, in single quotes")
_SEPARATORS = Bilingual("每行前面有记录分隔符", "each line begins with a record separator")
_WRONG_BYTE = "\ufffd"
_OURS = frozenset({"body", "method", "url"})
_OF_PYTHON = re.compile(r"\{\s*'.*\}", re.DOTALL)
_OF_TABLE = re.compile(r"(?![\[{\"]?\s*[\[{])[^{}]*[,\t;|][^{}]*")


def find_foreign_lines(head: bytes, profile: ProviderProfile) -> Problem | None:
    """What is wrong with a file all of whose first lines are in the form of something else."""
    lines = [line for line in head.decode("utf-8-sig", "replace").split("\n") if line.strip()]
    if len(head) >= LOOKED_AT_BYTES and len(lines) > 1:
        lines.pop()  # that line may go on behind what is looked at
    first = _problem_of(lines[0], profile) if lines else None
    if first is None:
        return None
    return first if all(_is_alike(first, _problem_of(line, profile)) for line in lines[1:]) else None


def _is_alike(first: Problem, other: Problem | None) -> bool:
    return other is not None and other.code == first.code


def _problem_of(line: str, profile: ProviderProfile) -> Problem | None:
    if line.startswith("\x1e"):
        return Problem("json_document", values={"form": _SEPARATORS})
    if _WRONG_BYTE in line:
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return _no_json(line.strip())
    return _form_problem(value, profile) if isinstance(value, dict) else None


def _form_problem(value: Mapping[str, object], profile: ProviderProfile) -> Problem | None:
    example = _example(profile.rules)
    if profile.rules.form.is_addressed and _is_bare(value):
        values = {**profile.rules.other_form, "provider": profile.terms["provider"], "example": example}
        return Problem("bare_lines", values=values)
    if form := _form_of(value):
        return Problem("foreign_lines", values={"form": form, "example": example})
    return Problem("table_as_jsonl", values={"form": _ROWS}) if _is_row(value) else None


def _no_json(line: str) -> Problem | None:
    if _OF_PYTHON.fullmatch(line):
        return Problem("json_document", values={"form": _PYTHON})
    return Problem("table_as_jsonl", values={"form": _TABLE}) if _OF_TABLE.fullmatch(line) else None


def _is_bare(found: Mapping[str, object]) -> bool:
    is_unaddressed = "custom_id" in found and found.keys().isdisjoint({"method", "url"})
    return is_unaddressed and isinstance(found.get("body"), dict)


def _example(rules: RequestRules) -> str:
    """A line in the provider's form."""
    body = '"messages": [{"role": "user", "content": "…"}]'
    if not rules.form.is_addressed:
        return f'{{"custom_id": "q-001", "body": {{{body}}}}}'
    address = f'"method": "POST", "url": "{CHAT}"'
    return f'{{"custom_id": "q-001", {address}, "body": {{"model": "{rules.example_model}", {body}}}}}'


def _form_of(found: Mapping[str, object]) -> Bilingual | None:
    if not _OURS.isdisjoint(found):
        return None
    return next((form for keys, form in _FORMS.items() if keys <= found.keys()), None)


def _is_row(found: Mapping[str, object]) -> bool:
    """Whether it is flat, as a row of a table is, and has no part of a request."""
    is_flat = not any(isinstance(value, dict | list) for value in found.values())
    return bool(found) and is_flat and _OURS.isdisjoint(key.lower() for key in found)
