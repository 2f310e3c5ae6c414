"""Brings a reply in another form than OpenAI's into it, if there is no doubt what its answer is.

The forms are those of Ollama, DashScope, Gemini, Anthropic, OpenAI's responses and completions, and
of servers of single models:
https://github.com/ollama/ollama/blob/main/docs/api.md
https://help.aliyun.com/zh/model-studio/qwen-api-reference
https://ai.google.dev/api/generate-content
https://docs.anthropic.com/en/api/messages
https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.results.replies.contents import THINKING_KEYS, read_choice
from shared.results.replies.parts import gathered, integer, is_nothing, mapping, text

_TEXT_KEYS = frozenset({
    "answer", "completion", "content", "generated_text", "output", "output_text", "reply", "response",
    "result", "text", "text_output",
})  # fmt: skip
# What may hold the whole reply.
_WRAPPERS = frozenset({"data", "output", "response", "result"})
_ERROR_KEYS = ("error", "errors", "code", "errcode", "error_code")
_SUCCESS = frozenset({"", "0", "200", "ok", "success"})
_FAILED = ("error", "fail", "failed")
_REASON_KEYS = ("finish_reason", "done_reason", "stop_reason", "finishReason", "stopReason")
_REASONS = {
    "end_turn": "stop", "stop_sequence": "stop", "completed": "stop", "max_tokens": "length",
    "max_output_tokens": "length", "tool_use": "tool_calls", "safety": "content_filter", "stop": "stop",
}  # fmt: skip
_TOKENS = {
    "prompt_tokens": ("input_tokens", "promptTokenCount", "prompt_eval_count"),
    "completion_tokens": ("output_tokens", "candidatesTokenCount", "eval_count"),
    "total_tokens": ("totalTokenCount",),
}


def in_openai_form(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The body with ``choices``; ``None`` if it reports an error, or has no answer or several."""
    if _reports_error(body):
        return None
    found = {key: made for key, value in body.items() if (made := _answer_at(key, value))}
    answers = [[read_choice(each).content for each in made["choices"]] for made in found.values()]
    if not answers or any(each != answers[0] for each in answers):
        return None
    beside = {key: value for key, value in body.items() if key not in found}
    made = {**next(iter(found.values()))}
    choices = made.pop("choices")
    if len(choices) == 1:
        choices = [_with_what_is_beside(choices[0], beside)]
    usage = {**mapping(made.pop("usage", None)), **_tokens_in(beside), **mapping(beside.get("usage"))}
    if isinstance(beside.get("usage"), dict):
        del beside["usage"]
    counted = {"usage": usage} if usage else {}
    return gathered(choices={"choices": choices, **counted}, body=beside, inner=made)


def _reports_error(body: Mapping[str, Any]) -> bool:
    said = (body[key] for key in _ERROR_KEYS if not is_nothing(body.get(key)))
    has_failed = body.get("success") is False or body.get("status") in _FAILED
    return has_failed or any(text(each).lower() not in _SUCCESS for each in said)


def _answer_at(key: str, value: Any) -> dict[str, Any] | None:
    """What the key holds, as ``choices`` and what is beside them; ``None`` if that is no answer."""
    if key in _WRAPPERS and isinstance(value, dict):
        made = in_openai_form(value)
    else:
        made = {"choices": [*_choices_at(key, value)]}
    return made if made and any(read_choice(each).is_answer for each in made["choices"]) else None


def _choices_at(key: str, value: Any) -> Iterator[Any]:
    if key in {"choices", "candidates"} and isinstance(value, list):
        yield from map(_choice, value)
    elif key == "message" and isinstance(value, dict):
        yield {"message": value}
    elif key == "output" and isinstance(value, list):
        yield {"message": {"content": [block for item in value for block in _blocks(item)]}}
    elif key == "content" and isinstance(value, dict | list):
        yield {"message": {"content": _content(value)}}
    elif key in _TEXT_KEYS:
        only = value[0] if isinstance(value, list) and len(value) == 1 else value
        if isinstance(only, str):
            yield {"message": {"content": only}}


def _choice(value: Any) -> Any:
    """One of ``choices`` or ``candidates``; its text may stand in its message's place."""
    if not isinstance(value, dict):
        return value
    choice = {**value}
    delta, content, words = (choice.pop(key, None) for key in ("delta", "content", "text"))
    message = {**mapping(delta), **mapping(choice.get("message"))}
    if is_nothing(message.get("content")):
        message["content"] = _content(content) if words is None else words
    return {**_with_what_is_beside({}, choice), **choice, "message": message}


def _content(value: Any) -> Any:
    """A text or blocks. Gemini's parts have no ``type``."""
    parts = value.get("parts") if isinstance(value, dict) else value
    if not isinstance(parts, list):
        return value
    return [block for part in parts for block in _blocks(part)]


def _blocks(item: Any) -> list[Any]:
    if not isinstance(item, dict):
        return [item]
    if item.get("type") == "message":
        content = item.get("content")
        return content if isinstance(content, list) else [content]
    if item.get("thought") is True:
        return [{**{key: value for key, value in item.items() if key != "thought"}, "type": "thinking"}]
    return [item if {"type", "text"} & item.keys() else {"type": next(iter(item), ""), **item}]


def _with_what_is_beside(choice: Mapping[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """The choice with the reason for its end and the thinking, which are taken out of the part."""
    reason = next((part.pop(key) for key in _REASON_KEYS if part.get(key)), None)
    if part.get("object") == "response":
        details = mapping(part.pop("incomplete_details", None))
        reason = details.get("reason") or part.pop("status", None)
    reason = text(choice.get("finish_reason") or reason)
    thinking = {key: part.pop(key) for key in THINKING_KEYS if key in part}
    message = {**thinking, **mapping(choice.get("message"))}
    return {**choice, "finish_reason": _REASONS.get(reason.lower(), reason), "message": message}


def _tokens_in(body: Mapping[str, Any]) -> dict[str, int]:
    """The counts of tokens under the names of their columns."""
    parts = {**body, **mapping(body.get("usageMetadata")), **mapping(body.get("usage"))}
    found = {name: [integer(parts.get(key)) for key in keys] for name, keys in _TOKENS.items()}
    return {name: count for name, counts in found.items() for count in counts if count is not None}
