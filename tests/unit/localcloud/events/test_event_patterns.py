from __future__ import annotations

from typing import Any

import pytest

from scripts.localcloud.events.patterns import matches

EVENT: dict[str, Any] = {
    "source": "acs.oss",
    "type": "oss:ObjectCreated:PutObject",
    "subject": "acs:oss:cn-beijing:1:drop/inbox/a.csv",
    "data": {"size": 3, "final": True, "tags": ["a", "b"], "oss": {"bucket": {"name": "drop"}}},
}


@pytest.mark.parametrize(
    "pattern",
    [
        {},
        {"source": ["acs.oss"]},
        {"source": ["acs.ecs", "acs.oss"]},
        {"source": [{"prefix": "acs."}], "type": [{"suffix": ":PutObject"}]},
        {"subject": [{"prefix": "acs:oss:cn-beijing:1:drop/inbox/", "suffix": ".csv"}]},
        {"source": [{"anything-but": "acs.ecs"}]},
        {"source": [{"anything-but": ["acs.ecs", {"prefix": "aws."}]}]},
        {"data": {"oss": {"bucket": {"name": ["drop"]}}}},
        {"data": {"tags": ["b"], "size": [3], "final": [True]}},
        {"data": {"error": [{"exists": False}], "size": [{"exists": True}]}},
    ],
)
def test_lets_through(pattern: dict[str, Any]) -> None:
    assert matches(pattern, EVENT)


@pytest.mark.parametrize(
    "pattern",
    [
        {"source": ["acs.ecs"]},
        {"source": ["acs.oss"], "type": ["oss:ObjectCreated:CopyObject"]},  # every key must match
        {"source": []},
        {"subject": [{"prefix": "acs:oss:", "suffix": ".jsonl"}]},  # every operator must hold
        {"source": [{"anything-but": ["acs.oss"]}]},
        {"missing": [{"anything-but": ["x"]}]},
        {"missing": [None]},
        {"data": {"oss": {"bucket": {"name": ["other"]}}}},
        {"source": {"deeper": ["x"]}},
        {"data": {"final": [1], "size": [True]}},
        {"data": {"size": [{"prefix": "3"}]}},
    ],
)
def test_keeps_out(pattern: dict[str, Any]) -> None:
    assert not matches(pattern, EVENT)


@pytest.mark.parametrize("pattern", [{"source": "acs.oss"}, {"source": [{"cidr": "10.0.0.0/8"}]}])
def test_refuses_what_it_does_not_know(pattern: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="pattern"):
        matches(pattern, EVENT)
