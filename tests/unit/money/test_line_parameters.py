from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.money.tokens.line_parameters import LineParameters, reads_more
from tests.support.reading import read_jsonl

# A file may be named in a text however JSON writes that.
TEXTS = st.sampled_from(
    [
        *('"good"', '"fileid://file-fe-x"', r'"fileid:\/\/file-fe-x"', r'"\u0066ileid://x"', r'"fileid\u003a//x"'),
        *(r'"fileid:\u002f\u002Fx"', r'"caf\u00e9 \u0061"', r'"\\u0066ileid://"', r'"fi\u006Ceid://"', '"fileid:/x"'),
        *(r'"a\"}],\"max_tokens\":9999,\"b\":[{\"c\":\""', '"https://fileid/"', '""', r'"\ud83d"', '"物流"'),
    ]
)  # fmt: skip
MORE = [
    *("", ',"max_tokens":50', ',"max_tokens":60', ',"max_tokens":50.0', ',"max_tokens":true', ',"n":2'),
    *(',"max_tokens":null', ',"thinking":{"type":"disabled"},"max_completion_tokens":7', ',"reasoning_effort":"low"'),
    *(',"n":3,"max_tokens":70', ',"max_tokens":9,"n":1', ',"reasoning_effort":3', ',"reasoning_effort":9'),
    *(',"thinking":{"type":"enabled"}', ',"max_tokens":5,"reasoning_effort":"low"', ',"input":[{"type":"x"}]'),
    *(',"max_tokens":5,"reasoning_effort":7', ',"max_tokens":5,"reasoning_effort":"high"', ',"input":"fileid://"'),
    *(',"tools":[{"type":"function"}]', ',"tools":[{"type":"web"}]', ',"enable_search":false', ',"plugins":{"a":1}'),
]  # fmt: skip
IMAGE = '{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]},'
OTHERS = st.sampled_from([IMAGE, "", ""])


def line_of(number: int, text: str, more: str, other: str = "") -> bytes:
    body = f'{{"model":"m","messages":[{other}{{"role":"user","content":{text}}}]{more}}}'
    address = f'"custom_id":"{number}","method":"POST","url":"/v1/chat/completions"'
    return f'{{{address},"body":{body}}}\n'.encode()


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Lines of which many are alike, as programs write them."""
    lines: list[bytes] = []
    for _ in range(draw(st.integers(1, 4))):
        more, other = draw(st.sampled_from(MORE)), draw(OTHERS)
        texts = draw(st.lists(TEXTS, min_size=1, max_size=5))
        lines += [line_of(len(lines) + place, text, more, other) for place, text in enumerate(texts)]
    return b"".join(lines)


COUNTS = ("max_tokens", "max_completion_tokens", "n", "thinking_budget")
MODES = ("enable_thinking", "thinking", "reasoning_effort")


@settings(max_examples=600)
@given(content=files())
def test_lines_of_one_shape_are_not_read_again_and_nothing_of_them_is_missed(content: bytes) -> None:
    assert_nothing_is_missed(content)


@pytest.mark.parametrize("more", MORE)
def test_of_lines_without_a_shape_nothing_is_missed(more: str) -> None:
    alike = [line_of(number, '"good"', "") for number in range(2)]

    for other, image in [*product(MORE, [""]), ("", IMAGE)]:
        odd = [(more, ""), (more, ""), (other, image), (more, "")]
        lines = [line_of(number, '"good"', *each) for number, each in enumerate(odd, 2)]
        assert_nothing_is_missed(b"".join([*alike, *lines]))


def assert_nothing_is_missed(content: bytes) -> None:
    rows, _ = read_jsonl(content)
    rows = [row for row in rows if row.request is not None]

    lines = LineParameters()
    for row in rows:
        assert row.request
        lines.add_line(row.request, row.shape, row.said)
    lines.look(b"".join(row.request or b"" for row in rows))

    bodies: list[dict[str, Any]] = [json.loads(row.request or b"")["body"] for row in rows]
    assert ([*lines], lines.are_too_many) == all_sets(bodies)
    assert lines.read_more == any(map(reads_more, bodies))


def all_sets(bodies: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], bool]:
    """Each set of modes and names of counts with its largest counts; whether a count is odd."""
    sets: dict[str, dict[str, Any]] = {}
    are_odd = False
    for body in bodies:
        counts = {name: body[name] for name in COUNTS if body.get(name) is not None}
        modes = {name: body[name] for name in MODES if name in body}
        if {*map(type, counts.values())} <= {int}:
            known = sets.setdefault(json.dumps([modes, [*counts]]), {**modes, **counts})
            known.update({name: max(count, known[name]) for name, count in counts.items()})
        else:
            are_odd = True
    return [*sets.values()], are_odd


def test_most_lines_of_a_file_are_read_by_their_shape() -> None:
    rows, _ = read_jsonl(b"".join(line_of(number, '"good"', ',"max_tokens":5') for number in range(20)))

    assert len({row.shape for row in rows}) == 2
    assert sum(row.said == {"max_tokens": 5} for row in rows) == 1
