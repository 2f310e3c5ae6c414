"""Checks what a model is to read: the messages of a chat, and the input of an embedding."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from shared.formats.json.compact import compact_json
from shared.problems.problem import Problem

_MEANT = {
    **dict.fromkeys(("human", "用户", "人类"), "user"),
    **dict.fromkeys(("bot", "ai", "model", "gpt", "助手", "模型"), "assistant"),
    **dict.fromkeys(("developer", "系统"), "system"),
}
# What an assistant may have said instead of a text.
_INSTEAD = frozenset({"tool_calls", "function_call", "audio", "refusal", "reasoning_content"})


def message_problem(messages: Sequence[Any], roles: Sequence[str], line: int) -> Problem | None:
    """What is wrong with the first message that is wrong."""
    for place, message in enumerate(messages):
        field = f"body.messages[{place}]"
        problem = _role_problem(message, roles, line, field) or _content_problem(message, line, field)
        if problem:
            return problem
    return None


def are_surely_good(
    messages: Iterable[Any], roles: Container[str], array: type, others: list[object]
) -> bool:
    """The same of simdjson's objects, in less time; ``False`` if unsure.

    Contents that are no texts are added to ``others``.
    """
    is_any = False
    try:
        for message in messages:
            is_any, content = True, message["content"]
            if message["role"] not in roles:
                return False
            if not isinstance(content, str):
                others.append(content)
                if not _is_surely_said(message, content, array):
                    return False
    except (KeyError, TypeError):  # a field is missing, or it is no object
        return False
    return is_any


def is_input(given: object, array: type = list) -> bool:
    """Whether it is a text to embed, or a list of texts, of tokens or of lists of tokens.

    None may be empty (https://platform.openai.com/docs/api-reference/embeddings/create). A blank
    text passes: nothing says that it fails.
    """
    if not isinstance(given, array):
        return isinstance(given, str) and given != ""
    found = [*given]  # type: ignore[misc]  # an array is iterable
    if {*map(type, found)} == {str}:
        return all(found)
    return bool(found) and all(_is_input_alone(each, array) for each in found)


def _is_input_alone(each: Any, array: type) -> bool:
    if isinstance(each, array):
        tokens = [*each]  # type: ignore[misc]  # an array is iterable
        return bool(tokens) and all(type(token) is int for token in tokens)
    return type(each) is int or (isinstance(each, str) and each != "")


def _is_surely_said(message: Mapping[str, Any], content: Any, array: type) -> bool:
    if isinstance(content, array):
        parts = [*content]  # type: ignore[misc]  # an array is iterable
        return bool(parts) and all(map(_is_part, parts))
    return content is None and message["role"] == "assistant" and not _INSTEAD.isdisjoint(message)


def _role_problem(message: object, roles: Sequence[str], line: int, field: str) -> Problem | None:
    role = message.get("role") if isinstance(message, dict) else None
    if not isinstance(role, str) or not role.strip():
        return Problem("message_without_role", line, field, str(message))
    if role in roles:
        return None
    word = role.strip().lower()
    meant = word if word in roles else _MEANT.get(word)
    write = ", ".join(f'"{each}"' for each in ([meant] if meant else roles))
    return Problem("unknown_role", line, f"{field}.role", role, {"write": write})


def _content_problem(message: Mapping[str, Any], line: int, field: str) -> Problem | None:
    content = message.get("content")
    if isinstance(content, str):
        return None
    if content in (None, []) and message["role"] == "assistant" and not _INSTEAD.isdisjoint(message):
        return None
    if not isinstance(content, list) or not content:
        found = compact_json(content) if "content" in message else "-"
        return Problem("wrong_content", line, f"{field}.content", found)
    for place, part in enumerate(content):
        if not _is_part(part):
            return Problem("wrong_part", line, f"{field}.content[{place}]", compact_json(part))
    return None


def _is_part(part: Any) -> bool:
    try:
        return isinstance(part["text"] if part["type"] == "text" else part["type"], str)
    except (KeyError, TypeError):  # a field is missing, or it is no object
        return False
