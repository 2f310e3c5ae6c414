"""The first rows of a closed job's result, whatever its format."""

from __future__ import annotations

import csv
import io
import json
from itertools import islice

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.plan import Plan
from shared.formats.heads import beginning
from shared.formats.lines import byte_lines
from shared.formats.tables.typed_cells import shown_cell
from shared.pipeline.page.first_rows import SHOWN_ROWS, FirstRows
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ObjectMissing
from shared.results.formats import FORMATS
from shared.results.tables.part_values import Places

# More than a few rows that anybody looks at; of a longer one the rest is cut off.
_MAX_BYTES = 256 * 1024


def first_results(store: ObjectStore, plan: Plan) -> FirstRows | None:
    """Read from the first shard's part, of which the result was made.

    ``None`` once it is gone, or while the shard is not settled.
    """
    settled = BucketRecords(store).find_settled(JobId(plan.job_id), 1)
    if settled is None or not settled.part_key:
        return None
    try:
        content = beginning(store.read(settled.part_key), _MAX_BYTES)
    except ObjectMissing:
        return None
    if plan.output_format == "csv":
        return _of_table(content.decode(plan.output_encoding, errors="ignore"))
    return _of_lines(content, _typed_columns(plan))


def _of_table(text: str) -> FirstRows:
    csv.field_size_limit(max(csv.field_size_limit(), _MAX_BYTES))  # an answer may be long
    rows = csv.reader(io.StringIO(text, newline=""))
    header = next(rows, [])
    return FirstRows(header, list(islice(rows, SHOWN_ROWS)))


def _typed_columns(plan: Plan) -> int:
    """How many columns hold typed cells of the file itself; they come first."""
    return Places(plan).own if plan.format in FORMATS[plan.output_format].typed_inputs else 0


def _of_lines(content: bytes, typed: int) -> FirstRows:
    columns: list[str] = []
    rows = []
    for line in islice(byte_lines([content]), SHOWN_ROWS):
        try:
            values = json.loads(line)
        except ValueError:  # cut off
            break
        columns = columns or [*values]
        cells = [values.get(name) for name in columns]
        rows.append([*map(shown_cell, cells[:typed]), *map(_text, cells[typed:])])
    return FirstRows(columns, rows)


def _text(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)
