"""What bounds the output of a request to a model server of one's own."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from shared.ports.output_bound import OutputBound, answers_in, count_in


def output_bound_for(parameters: Mapping[str, JsonValue], thinks: str) -> OutputBound:
    """Both parameters bound all that is generated, which may all be thinking.

    https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
    """
    most = count_in(parameters, "max_completion_tokens", "max_tokens")
    if most is None:
        return OutputBound(None, 0, ("max_tokens: 500",))
    most *= answers_in(parameters)
    return OutputBound(most, 0) if thinks == "never" else OutputBound(0, most)
