from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from shared.pipeline.sample.choose_rows import ChooseRows, SampledRow


def line(number: int, length: int) -> bytes:
    return (f'{{"custom_id": "{number}", "body": "'.ljust(length - 1, "x") + '"}\n').encode()


def choose(lines: list[bytes], most: int) -> list[SampledRow]:
    chooser = ChooseRows(most)
    for place, each in enumerate(lines):
        chooser.see_row(1, place, each, [])
    return chooser.chosen()


def test_rows_of_each_length_are_chosen_by_their_share() -> None:
    lines = [line(number, 1500 if number % 4 else 200) for number in range(4000)]

    chosen = choose(lines, 20)

    assert Counter(len(row.request) > 1000 for row in chosen) == {True: 15, False: 5}
    assert len({row.place for row in chosen}) == 20
    assert max(row.place for row in chosen) > 2000 > min(row.place for row in chosen)


@given(st.lists(st.integers(30, 5000), max_size=60), st.integers(1, 100))
def test_the_same_rows_are_chosen_again_in_the_order_of_the_file(lengths: list[int], most: int) -> None:
    lines = [line(number, length) for number, length in enumerate(lengths)]

    chosen = choose(lines, most)

    assert len(chosen) == min(most, len(lines))
    assert [row.place for row in chosen] == sorted({row.place for row in chosen})
    assert [row.request.encode() + b"\n" for row in chosen] == [lines[row.place] for row in chosen]
    for block in (1, 7, 60):
        together = ChooseRows(most)
        together.expect_at = 0
        for first in range(0, len(lines), block):
            some = lines[first : first + block]
            cells = [[b"\\u4e2d%d" % place] for place in range(first, first + len(some))]
            together.see(1, first, b"".join(some), [len(each) - 1 for each in some], cells)
        assert [row._replace(expected="") for row in together.chosen()] == chosen
        assert all(row.expected == f"中{row.place}" for row in together.chosen())


def test_each_row_is_as_likely_as_any_other() -> None:
    lines = [line(number, 200) for number in range(2000)]

    tenths = Counter(row.place // 200 for most in range(1, 80) for row in choose(lines, most))

    assert sum(tenths.values()) == 3160
    assert all(abs(tenths[tenth] - 316) < 70 for tenth in range(10))  # four standard deviations


def test_of_rows_of_megabytes_few_are_kept() -> None:
    chooser = ChooseRows(100)
    for place in range(300):
        chooser.see_row(1, place, line(place, 600_000), [])

    assert len(chooser.chosen()) == 1


def test_a_row_is_kept_as_it_was_seen() -> None:
    row = SampledRow(3, 7, '{"custom_id": "中文\\u2028"}', "好 评")

    assert SampledRow.from_line(row.to_line()) == row
