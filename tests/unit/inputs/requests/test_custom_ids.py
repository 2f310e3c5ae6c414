from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.inputs.requests.custom_ids import FirstLines


@settings(max_examples=50)
@given(texts=st.lists(st.text(max_size=2)), more=st.sampled_from([0, 1500]))
@example(texts=["", "\0", "\0\0", ""], more=0)
def test_the_first_line_of_every_text_is_known_exactly(texts: list[str], more: int) -> None:
    seen = FirstLines()
    expected: dict[str, int] = {}

    for line, text in enumerate([*texts, *map(str, range(more)), *texts], 1):
        assert seen.first_line_of(text, line) == expected.setdefault(text, line)
