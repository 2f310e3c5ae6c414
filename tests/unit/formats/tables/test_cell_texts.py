from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.formats.tables.cell_texts import cell_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("0012", "0012"),
        (13800138000.0, "13800138000"),
        (123456789012345.0, "123456789012345"),
        (1e16, "10000000000000000"),
        (1.234567890123457e18, "1234567890123457000"),
        (1e21, "1e+21"),
        (-0.0, "0"),
        (-5.0, "-5"),
        (0.1, "0.1"),
        (2.5e-9, "2.5e-09"),
        (2**70, "1180591620717411303424"),
        (True, "TRUE"),
        (False, "FALSE"),
        (date(2026, 1, 31), "2026-01-31"),
        (datetime(2026, 1, 31, 8, 5), "2026-01-31 08:05:00"),  # noqa: DTZ001  # cells have no zone
        (datetime(2026, 1, 31, 8, 5, 1, 500, tzinfo=timezone.utc), "2026-01-31 08:05:01.000500+00:00"),
        (time(8, 5), "08:05:00"),
        (timedelta(hours=26, minutes=30), "26:30:00"),
        (timedelta(seconds=-1.5), "-0:00:01.5"),
        (Decimal("1000.50"), "1000.50"),
        (Decimal("0E-8"), "0.00000000"),
        ("字".encode(), "字"),
        (b"\xff\x00", "ff00"),
        ([1, None, "字"], '[1, null, "字"]'),
        ({"a": [date(2026, 1, 31), Decimal("1.0")]}, '{"a": ["2026-01-31", "1.0"]}'),
    ],
)
def test_a_value_is_written_as_a_person_would(value: object, text: str) -> None:
    assert cell_text(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_digit_of_a_number_is_lost(value: float) -> None:
    assert float(cell_text(value)) == value
