"""What bounds the output of a Bailian request."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from shared.ports.output_bound import OutputBound, answers_in, count_in


def output_bound_for(parameters: Mapping[str, JsonValue], thinks: str) -> OutputBound:
    """``max_tokens`` is taken to bound the answer alone, and ``thinking_budget`` the thinking.

    From qwen4-max-preview on, ``max_tokens`` bounds both together; before, it depended on the model
    (https://www.alibabacloud.com/help/en/model-studio/api-compatibility-upgrade-notice, November 2,
    2026). The sum is no less than either allows. Without a budget only new models would be bounded,
    so nothing counts as a bound. Without ``max_tokens`` an answer may be as long as the model can:
    https://help.aliyun.com/zh/model-studio/qwen-api-via-openai-chat-completions and
    https://help.aliyun.com/zh/model-studio/deep-thinking.
    """
    answers, answer = answers_in(parameters), count_in(parameters, "max_tokens")
    thinking = _thinking(parameters, thinks)
    write: tuple[str, ...] = () if answer is not None else ("max_tokens: 500",)
    if thinking is None:
        write += ("thinking_budget: 1000",) if thinks == "always" else ("enable_thinking: false",)
    return OutputBound(
        None if answer is None else answer * answers,
        None if thinking is None else thinking * answers,
        write,
    )


def _thinking(parameters: Mapping[str, JsonValue], thinks: str) -> int | None:
    asked = parameters.get("enable_thinking")
    is_off = thinks == "never" or (thinks != "always" and asked is False)
    if is_off or (thinks == "if_asked" and asked is None and "reasoning_effort" not in parameters):
        return 0
    return count_in(parameters, "thinking_budget")
