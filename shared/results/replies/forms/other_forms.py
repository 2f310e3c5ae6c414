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

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.results.replies.forms.contents import THINKING_KEYS, read_choice
from shared.results.replies.forms.parts import gathered, integer, is_nothing, mapping, text
from shared.results.replies.reasons import is_success

_TEXT_KEYS = frozenset({
    "answer", "completion", "content", "generated_text", "output", "output_text", "reply", "response",
    "result", "text", "text_output",
})  # fmt: skip
# What may hold the whole reply, one in another at most so often.
_WRAPPERS = frozenset({"data", "output", "response", "result"})
_MAX_WRAPPERS = 3
_ERROR_KEYS = ("error", "errors", "detail", "code", "errcode", "error_code", "error_msg", "error_message")
_SUCCESS_KEYS = ("success", "ok")
_STATUS_KEYS = ("status", "task_status", "state")
_WORDS_KEYS = ("message", "msg")
# A status that allows no answer, HTTP's among them; and what is none as a ``result``, either.
_UNDONE = re.compile(
    r"false|error(ed)?|fail(ed|ure)?|cancell?ed|expired|rejected|aborted|time(d[ _]?)?out|[45]\d\d"
    r"|accepted|submitted|queued|pending|waiting|running|processing|in[ _-]?progress", re.I,
)  # fmt: skip
_STATE = re.compile(
    rf"{_UNDONE.pattern}|0|200|ok|true|succe(ss|ed|eded)|done|finished|completed?|null|none", re.I
)
_REASON_KEYS = ("finish_reason", "done_reason", "stop_reason", "finishReason", "stopReason", "blockReason")
_REASONS = {
    "end_turn": "stop", "stop_sequence": "stop", "completed": "stop", "max_tokens": "length",
    "max_output_tokens": "length", "tool_use": "tool_calls", "stop": "stop",
    **dict.fromkeys(
        ("safety", "prohibited_content", "blocklist", "spii", "recitation", "image_safety", "refusal",
         "content_filter", "sensitive"), "content_filter",
    ),
}  # fmt: skip
_TOKENS = {
    "prompt_tokens": ("input_tokens", "promptTokenCount", "prompt_eval_count"),
    "completion_tokens": ("output_tokens", "candidatesTokenCount", "eval_count"),
    "total_tokens": ("totalTokenCount",),
}


def in_openai_form(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The body with ``choices``; ``None`` if it reports an error, or has no answer or several."""
    return _made_of(body)


def holds_ended_text(body: Mapping[str, Any]) -> bool:
    """Whether there is a text that says that it was written to its end, whatever error is told."""
    made = _made_of(body, may_err=True)
    return made is not None and any(mapping(each).get("finish_reason") in _ENDED for each in made["choices"])


_ENDED = frozenset({"stop", "length", "tool_calls"})


def _made_of(body: Mapping[str, Any], depth: int = 0, *, may_err: bool = False) -> dict[str, Any] | None:
    if not may_err and reports_error(body):
        return None
    found = {
        key: made
        for key, value in _speaking(body)
        if (made := _answer_at(key, value, depth, may_err=may_err))
    }
    answers = [[read_choice(each).content for each in made["choices"]] for made in found.values()]
    if not answers or any(each != answers[0] for each in answers):
        return None
    beside = {key: value for key, value in body.items() if key not in found}
    made = {**next(iter(found.values()))}
    choices = made.pop("choices")
    if len(choices) == 1:
        choices = [_with_what_is_beside(choices[0], beside)]
    usage = {**mapping(made.pop("usage", None)), **tokens_in(beside), **mapping(beside.get("usage"))}
    if isinstance(beside.get("usage"), dict):
        del beside["usage"]
    counted = {"usage": usage} if usage else {}
    return gathered(choices={"choices": choices, **counted}, body=beside, inner=made)


def reason_in(body: Mapping[str, Any]) -> str:
    """Why a reply without an answer ended, in OpenAI's words; "" if it does not say."""
    candidates = body.get("candidates")
    parts = [body, body.get("output"), body.get("promptFeedback")]
    parts += candidates if isinstance(candidates, list) else []
    return next((reason for part in parts if (reason := _take_reason({**mapping(part)}))), "")


def reports_error(body: Mapping[str, Any]) -> bool:
    said = [
        text(body[key]) for key in _ERROR_KEYS if not is_nothing(body.get(key)) and body[key] is not False
    ]
    states = [text(body.get(key)).strip() for key in _STATUS_KEYS]
    succeeded = [text(body.get(key)).strip().lower() for key in _SUCCESS_KEYS]
    return (
        not all(map(is_success, said))
        or any(map(_UNDONE.fullmatch, states))
        or not {"false", "0", "no"}.isdisjoint(succeeded)
    )


def _speaking(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What may hold the answer: of a chat only its choices, and no ``result`` that is a state."""
    if not is_nothing(body.get("choices")):
        yield "choices", body["choices"]
        return
    is_said = any(not is_nothing(body.get(key)) for key in (*_ERROR_KEYS, *_SUCCESS_KEYS, *_STATUS_KEYS))
    is_told = not is_said and not all(is_success(text(body.get(key))) for key in _WORDS_KEYS)
    for key, value in body.items():
        is_result = key == "result" and isinstance(value, str)
        if not (is_result and (is_told or _STATE.fullmatch(value.strip()))):
            yield key, value


def _answer_at(key: str, value: Any, depth: int, *, may_err: bool) -> dict[str, Any] | None:
    """What the key holds, as ``choices`` and what is beside them; ``None`` if that is no answer."""
    if key in _WRAPPERS and isinstance(value, dict):
        made = _made_of(value, depth + 1, may_err=may_err) if depth < _MAX_WRAPPERS else None
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
        return {"message": {"content": value}}
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
    reason = _in_openai_words(choice.get("finish_reason")) or _take_reason(part)
    # Not the switch for it (``true``), nor how much of it was asked for.
    thinking = {key: part.pop(key) for key in THINKING_KEYS if isinstance(part.get(key), str)}
    message = {**thinking, **mapping(choice.get("message"))}
    return {**choice, "finish_reason": reason, "message": message}


def _take_reason(part: dict[str, Any]) -> str:
    reason = next((part.pop(key) for key in _REASON_KEYS if part.get(key)), None)
    if part.get("object") == "response":
        details = mapping(part.pop("incomplete_details", None))
        reason = details.get("reason") or part.pop("status", None)
    return _in_openai_words(reason)


def _in_openai_words(reason: Any) -> str:
    return _REASONS.get(text(reason).lower(), text(reason))


def tokens_in(body: Mapping[str, Any]) -> dict[str, int]:
    """The counts of tokens under the names of their columns."""
    parts = {**body, **mapping(body.get("usageMetadata")), **mapping(body.get("usage"))}
    found = {name: [integer(parts.get(key)) for key in keys] for name, keys in _TOKENS.items()}
    return {name: count for name, counts in found.items() for count in counts if count is not None}
