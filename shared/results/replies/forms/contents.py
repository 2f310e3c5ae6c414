"""Reads what a chat said: one text, or what stands in its place, and everything beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from shared.results.replies.forms.parts import (
    CHOICE_KEYS,
    MESSAGE_KEYS,
    gathered,
    is_nothing,
    mapping,
    text,
    unknown_in,
)

# Where the thinking stands, by provider; the first that is there is the one that counts.
THINKING_KEYS = ("reasoning_content", "reasoning", "thinking")
# LiteLLM's, beside these or alone: https://docs.litellm.ai/docs/reasoning_content
_BLOCKS_KEY = "thinking_blocks"
# Keys of a message that are an answer without a text.
_MEDIA_KEYS = ("audio", "images")
_TEXT_BLOCKS = (None, "text", "output_text")
_THINKING_BLOCKS = ("thinking", "reasoning")
_THOUGHT_KEYS = ("thinking", "text", "content", "summary")
_TYPE = frozenset({"type"})
# Where each kind of block holds what it says.
_BLOCKS = {
    **dict.fromkeys(("text", "output_text"), ("text",)),
    **dict.fromkeys(_THINKING_BLOCKS, _THOUGHT_KEYS),
    "refusal": ("refusal",),
}


class Said(NamedTuple):
    """What one choice says.

    Attributes:
        content: The text. Without one: the calls, the refusal, other blocks or the transcript.
        finish_reason: Why it ended.
        is_refusal: The model said that it will not answer.
        is_media: It holds pictures or sound.
        more: What it holds beside all these.
    """

    content: Any
    reasoning_content: str
    finish_reason: str
    is_refusal: bool
    is_media: bool
    more: dict[str, Any]

    @property
    def is_answer(self) -> bool:
        return self.is_media or not _is_blank(self.content)


def read_choice(choice: Any) -> Said:
    if not isinstance(choice, dict):
        choice = {"message": choice}
    message = choice.get("message")
    if not isinstance(message, dict):
        message = {"content": message}
    more = unknown_in(message, MESSAGE_KEYS)
    content, thinking = _take_blocks(message.get("content"), more)
    reasoning = _take_reasoning(message, thinking, more)
    is_refusal = bool(more.get("refusal"))
    is_media = any(key in more for key in _MEDIA_KEYS)
    if _is_blank(content):
        content = _take_instead(content, more)
    more = gathered(message=more, choice=unknown_in(choice, CHOICE_KEYS))
    return Said(content, reasoning, text(choice.get("finish_reason")), is_refusal, is_media, more)


def _is_blank(content: Any) -> bool:
    return is_nothing(content) or (isinstance(content, str) and not content.strip())


def _take_instead(blank: Any, more: dict[str, Any]) -> Any:
    """What stands in the place of a text; what is taken is no longer in ``more``."""
    if "tool_calls" in more:
        return more.pop("tool_calls")
    if "function_call" in more:
        return [more.pop("function_call")]
    for key in ("refusal", "content"):
        if key in more:
            return more.pop(key)
    transcript = mapping(more.get("audio")).get("transcript")
    if is_nothing(transcript):
        return blank
    more["audio"] = {key: value for key, value in more["audio"].items() if key != "transcript"}
    return transcript


def _take_reasoning(message: Mapping[str, Any], thinking: str, more: dict[str, Any]) -> str:
    """The thinking that counts; another one stays in ``more``, the same one does not."""
    given = {key: message[key] for key in THINKING_KEYS if _is_thinking(key, message.get(key))}
    found = {key: _thinking_in(value) for key, value in given.items()}
    given |= {_BLOCKS_KEY: message.get(_BLOCKS_KEY), "content_thinking": thinking}
    found |= {_BLOCKS_KEY: _thinking_in_blocks(given[_BLOCKS_KEY]), "content_thinking": (thinking, True)}
    reasoning = next((each for each, _ in found.values() if each), "")
    for key, (each, is_all) in found.items():
        if each == reasoning and is_all:
            more.pop(key, None)
        elif not is_nothing(given[key]):
            more[key] = given[key]
    return reasoning


def _thinking_in(value: Any) -> tuple[str, bool]:
    """The thinking as a text, and whether the value holds nothing else."""
    thinking, is_all = _thinking_in_blocks(value) if isinstance(value, list) else ("", True)
    return (thinking, is_all) if thinking else (text(value), True)


def _thinking_in_blocks(value: Any) -> tuple[str, bool]:
    blocks = value if isinstance(value, list) else [value]
    parts = [dict(each) if isinstance(each, dict) else {"text": each} for each in blocks]
    thinking = "".join(map(_thought, parts))
    return thinking, bool(thinking) and not any(unknown_in(each, _TYPE) for each in parts)


def _is_thinking(key: str, value: Any) -> bool:
    """Not the switch for it (``true``); that has no column, so it stays in ``more``."""
    return not is_nothing(value) and (key in MESSAGE_KEYS or not isinstance(value, bool))


def _take_blocks(content: Any, more: dict[str, Any]) -> tuple[Any, str]:
    """The text and the thinking of a list of blocks; all else in it goes into ``more``."""
    blocks = [content] if _is_block_alone(content) else content
    if isinstance(blocks, list):
        blocks = [each for each in blocks if not is_nothing(each)]
    if not isinstance(blocks, list) or not all(isinstance(each, str) or _is_block(each) for each in blocks):
        return content, ""
    texts, thoughts = [], []
    for block in (each if isinstance(each, dict) else {"text": each} for each in blocks):
        kind, rest = block.get("type"), dict(block)
        if kind in _TEXT_BLOCKS and isinstance(block.get("text"), str):
            texts.append(rest.pop("text"))
        elif kind in _THINKING_BLOCKS or (kind is None and "thinking" in block):
            thoughts.append(_thought(rest))
        elif kind == "refusal" and "refusal" not in more:
            more["refusal"] = rest.pop("refusal", None)
        if unknown_in(rest, _TYPE):
            # Beside a text, as citations are, or in the place of one.
            more.setdefault("content" if len(rest) == len(block) else "content_details", []).append(rest)
    return ("".join(texts) if texts else None), "".join(thoughts)


def _thought(block: dict[str, Any]) -> str:
    """Takes the thinking out of its block; it may be a list of blocks itself."""
    key = next((each for each in _THOUGHT_KEYS if block.get(each)), "")
    value = block.pop(key, None)
    blocks = value if isinstance(value, list) else [value]
    return "".join(text(mapping(each).get("text") or each) for each in blocks)


def _is_block(value: object) -> bool:
    return isinstance(value, dict) and any(key in value for key in ("type", "text", "thinking"))


def _is_block_alone(content: object) -> bool:
    """Outside a list only a whole block of a kind that we know; any other object is the answer."""
    kind = content.get("type") if isinstance(content, dict) else None
    return isinstance(kind, str) and any(mapping(content).get(key) for key in _BLOCKS.get(kind, ()))
