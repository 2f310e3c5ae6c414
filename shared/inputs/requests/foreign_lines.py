"""Recognises files whose lines are JSON, but no requests in the form that is read here."""

from __future__ import annotations

import json
from collections.abc import Mapping

from shared.formats.heads import LOOKED_AT_BYTES
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
_OURS = frozenset({"body", "method", "url"})


def find_foreign_lines(head: bytes) -> Problem | None:
    """What is wrong with a file all of whose first lines are in the form of another service."""
    lines = [line for line in head.decode("utf-8-sig", "replace").split("\n") if line.strip()]
    forms = [_form_of(line) for line in lines]
    if len(head) >= LOOKED_AT_BYTES and len(forms) > 1:
        forms.pop()  # that line may go on behind what is looked at
    form = forms[0] if forms and None not in forms else None
    return Problem("foreign_lines", values={"form": form}) if form else None


def _form_of(line: str) -> Bilingual | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not _OURS.isdisjoint(found):
        return None
    return next((form for keys, form in _FORMS.items() if keys <= found.keys()), None)
