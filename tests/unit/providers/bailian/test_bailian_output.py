from __future__ import annotations

import pytest
from pydantic import JsonValue

from shared.providers.bailian.output import output_bound_for

ON = {"enable_thinking": True}


@pytest.mark.parametrize(
    ("parameters", "thinks", "most"),
    [
        ({"max_tokens": 300}, "never", 300),
        ({"max_tokens": 300}, "if_asked", 300),
        ({"max_tokens": 300, **ON, "thinking_budget": 1000}, "if_asked", 1300),
        ({"max_tokens": 300, **ON, "thinking_budget": 1000, "n": 2}, "if_asked", 2600),
        ({"max_tokens": 300, "thinking_budget": 1000}, "always", 1300),
        # Before qwen4-max-preview its thinking may be as long as the model can.
        ({"max_tokens": 300, **ON}, "if_asked", None),
        ({"max_tokens": 300}, "by_default", None),
        ({"max_tokens": 300}, "always", None),
        # From then on both together may be longer than the budget.
        ({**ON, "thinking_budget": 1000}, "if_asked", None),
    ],
)
def test_the_bound_holds_whether_max_tokens_is_for_the_answer_or_for_all_that_is_written(
    parameters: dict[str, JsonValue], thinks: str, most: int | None
) -> None:
    assert output_bound_for(parameters, thinks).tokens == most
