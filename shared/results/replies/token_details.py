"""Finds how many tokens of an answer the model thought, and how many of a request were cached.

Providers say it in several ways, and some not at all:
https://platform.openai.com/docs/api-reference/chat/object
https://platform.openai.com/docs/api-reference/responses/object
https://help.aliyun.com/zh/model-studio/qwen-api-reference
https://www.volcengine.com/docs/82379/1494384
https://api-docs.deepseek.com/api/create-chat-completion
https://platform.moonshot.cn/docs/api/chat
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from shared.results.replies.forms.parts import integer, mapping

# Where they stand in ``usage``; of several places the first one counts that has a number.
THINKING = (
    ("completion_tokens_details", "reasoning_tokens"),
    ("output_tokens_details", "reasoning_tokens"),
    ("completion_tokens_details", "thinking_tokens"),
    ("output_tokens_details", "thinking_tokens"),
    ("reasoning_tokens",),
    ("thinking_tokens",),
)
CACHED = (
    ("prompt_tokens_details", "cached_tokens"),
    ("input_tokens_details", "cached_tokens"),
    ("cached_tokens",),
    ("prompt_cache_hit_tokens",),
)
_IS_TOLD = re.compile(r'"(?:reasoning|thinking|cached|prompt_cache_hit)_tokens"')


def details_in(usage: str) -> tuple[int, int]:
    """The tokens that were thought and those that were cached; 0 of what is not told.

    Args:
        usage: As ``Answer.usage`` has it, so JSON of an object, or empty.
    """
    if not _IS_TOLD.search(usage):  # of most answers, for which to read it takes too long
        return 0, 0
    told = json.loads(usage)
    return _first(told, THINKING), _first(told, CACHED)


def _first(usage: Mapping[str, Any], places: tuple[tuple[str, ...], ...]) -> int:
    for *inside, key in places:
        part = mapping(usage.get(inside[0])) if inside else usage
        number = integer(part.get(key))
        if number is not None and number >= 0:
            return number
    return 0
