from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.formats.lines import byte_lines

LINES = st.lists(st.text(min_size=1).map(str.encode).filter(lambda line: not set(line) & set(b"\r\n")))


@given(LINES, st.integers(min_value=1, max_value=50), st.booleans())
def test_lines_survive_any_cut_into_chunks(lines: list[bytes], size: int, ends: bool) -> None:
    content = b"\n".join(lines) + (b"\n" if ends else b"")
    chunks = [content[start : start + size] for start in range(0, len(content), size)]

    assert list(byte_lines(iter(chunks))) == lines
