from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.inputs.rows import InputRow
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
MORE = st.sampled_from(
    [
        *("", ',"max_tokens":50', ',"max_tokens":60', ',"max_tokens":50.0', ',"max_tokens":true', ',"n":2'),
        *(',"max_tokens":null', ',"thinking":{"type":"disabled"},"max_completion_tokens":7', ',"reasoning_effort":"low"'),
        *(',"tools":[{"type":"function"}]', ',"tools":[{"type":"web"}]', ',"enable_search":false', ',"plugins":{"a":1}'),
    ]
)  # fmt: skip
OTHERS = st.sampled_from(
    ['{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]},', "", ""]
)


def line_of(number: int, text: str, more: str, other: str = "") -> bytes:
    body = f'{{"model":"m","messages":[{other}{{"role":"user","content":{text}}}]{more}}}'
    address = f'"custom_id":"{number}","method":"POST","url":"/v1/chat/completions"'
    return f'{{{address},"body":{body}}}\n'.encode()


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Lines of which many are alike, as programs write them."""
    lines: list[bytes] = []
    for _ in range(draw(st.integers(1, 4))):
        more, other = draw(MORE), draw(OTHERS)
        texts = draw(st.lists(TEXTS, min_size=1, max_size=5))
        lines += [line_of(len(lines) + place, text, more, other) for place, text in enumerate(texts)]
    return b"".join(lines)


def said(rows: list[InputRow], *, with_shapes: bool) -> LineParameters:
    lines = LineParameters()
    for row in rows:
        assert row.request
        lines.add_line(row.request, row.shape if with_shapes else None)
    lines.look(b"".join(row.request or b"" for row in rows))
    return lines


@settings(max_examples=600)
@given(content=files())
def test_lines_of_one_shape_are_not_read_again_and_nothing_of_them_is_missed(content: bytes) -> None:
    rows, _ = read_jsonl(content)
    rows = [row for row in rows if row.request is not None]

    quick, slow = said(rows, with_shapes=True), said(rows, with_shapes=False)

    bodies: list[dict[str, Any]] = [json.loads(row.request or b"")["body"] for row in rows]
    assert [*quick] == [*slow]
    assert quick.are_too_many == slow.are_too_many
    assert quick.read_more == slow.read_more == any(map(reads_more, bodies))


def test_most_lines_of_a_file_are_read_by_their_shape() -> None:
    rows, _ = read_jsonl(b"".join(line_of(number, '"good"', ',"max_tokens":5') for number in range(20)))

    assert len({row.shape for row in rows}) == 2
    assert [*said(rows, with_shapes=True)] == [{"max_tokens": 5}]
