"""What bounds the output of a request to Ark."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from shared.ports.output_bound import OutputBound, answers_in, count_in


def output_bound_for(parameters: Mapping[str, JsonValue], thinks: str) -> OutputBound:
    """``max_completion_tokens`` bounds thinking and answer together, ``max_tokens`` the answer.

    https://www.volcengine.com/docs/82379/1494384 and 82379/1449737. The page gives a default of
    4,096 for the answer; whether that holds for newer models it does not say, so none is assumed.
    """
    answers, both = answers_in(parameters), count_in(parameters, "max_completion_tokens")
    if both is not None:  # all of it may be thinking, which may be dearer
        is_off = _is_off(parameters, thinks)
        return OutputBound(both * answers, 0) if is_off else OutputBound(0, both * answers)
    answer = count_in(parameters, "max_tokens")
    if _is_off(parameters, thinks):
        write = () if answer is not None else ("max_tokens: 500",)
        return OutputBound(None if answer is None else answer * answers, 0, write)
    return OutputBound(None if answer is None else answer * answers, None, ("max_completion_tokens: 1500",))


def _is_off(parameters: Mapping[str, JsonValue], thinks: str) -> bool:
    thinking = parameters.get("thinking")
    asked = thinking.get("type") if isinstance(thinking, dict) else None
    if thinks == "never" or (thinks != "always" and asked == "disabled"):
        return True
    return thinks == "if_asked" and asked is None and "reasoning_effort" not in parameters
