"""Hand-written quoting is Python's ``csv.writer``'s."""

from __future__ import annotations

import csv
import io

from hypothesis import example, given
from hypothesis import strategies as st

from shared.formats.csv.cells import LINE_END, csv_cell
from shared.results.columns import REQUEST_COLUMNS, TABLE_COLUMNS, Answer, ResultColumns, RowStatus
from shared.results.csv_result import ResultTable
from tests.support.builders import rendered_rows

# Everything that some CSV dialect treats differently; NUL is here because answers may hold it.
TEXT = st.text(
    st.one_of(
        st.sampled_from("\",;\t\n\r '|\\=#\0\x0b\x0c\x1c\x85\xa0\u2028\u2029\ufeff，“”😀"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=12,
)


def written(*rows: list[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator=LINE_END).writerows(rows)
    return text.getvalue()


@given(st.lists(TEXT, min_size=2, max_size=6))
@example(["", ""])
@example(["\n", "a\rb", ""])
@example(["\r", '"'])
@example([' "a" ', " "])
def test_a_cell_beside_others_is_quoted_as_the_standard_library_does(cells: list[str]) -> None:
    assert ",".join(map(csv_cell, cells)) + LINE_END == written(list(cells))


NUMBERS = st.one_of(st.none(), st.integers())
ANSWERS = st.builds(
    Answer,
    custom_id=TEXT,
    status=st.sampled_from(RowStatus),
    content=TEXT,
    reasoning_content=TEXT,
    model=TEXT,
    finish_reason=TEXT,
    prompt_tokens=NUMBERS,
    completion_tokens=NUMBERS,
    total_tokens=NUMBERS,
    request_id=TEXT,
    created=NUMBERS,
    status_code=NUMBERS,
    usage=TEXT,
    error_code=TEXT,
    error_message=TEXT,
)


@given(st.lists(TEXT, min_size=1, max_size=3), ANSWERS, st.booleans())
def test_a_line_of_the_result_is_what_the_standard_library_writes(
    cells: list[str], answer: Answer, is_table: bool
) -> None:
    kind = "recipe_csv" if is_table else "request_jsonl"
    names = TABLE_COLUMNS if is_table else REQUEST_COLUMNS
    own = [f"column {n}" for n, _ in enumerate(cells)]
    table = ResultTable(ResultColumns(kind, names), own, "utf-8", guard=False)

    line = rendered_rows(table, [(cells, answer, [])]).decode()

    values = [answer.status.value if name == "status" else getattr(answer, name) for name in names]
    assert line == written([*cells, *values] if is_table else values)
