"""Tells of rows that surveys put below their header, and of a header in a second language."""

from __future__ import annotations

import re
from collections.abc import Sequence

from shared.formats.record import Records
from shared.inputs.tables.header_words import is_id_name
from shared.inputs.tables.table_shapes import ahead
from shared.problems.problem import Problem, ProblemList, Values

# Qualtrics has its own names in the second row below the header, SurveyMonkey has kinds of answers
# in the first.
_OF_SURVEYS = re.compile(r'\s*\{"ImportId":.*|Open-Ended Response', re.DOTALL)
_MOST_ROWS = 2
_DIGIT = re.compile("[0-9]")


def with_second_header_told(records: Records, warnings: ProblemList) -> Records:
    """The same records, with a warning if the first ones are seemingly no data."""
    held, all_records = ahead(records)
    rows = _rows_of_header([record.cells for record in held if not record.problems])
    if rows:
        values: Values = {"rows": rows}
        warnings.add(Problem("second_header", held[0].line, found=", ".join(held[0].cells), values=values))
    return all_records


def _rows_of_header(rows: Sequence[Sequence[str]]) -> int:
    for number, cells in enumerate(rows[:_MOST_ROWS], start=1):
        if any(map(_OF_SURVEYS.fullmatch, cells)):
            return number
    firsts = [cells[0] for cells in rows if len(cells) > 1]
    others_are_ids = len(firsts) > 1 and all(map(_DIGIT.search, firsts[1:]))
    return int(others_are_ids and len(rows[0]) > 1 and is_id_name(firsts[0]))
