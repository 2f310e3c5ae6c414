"""A month begins at midnight in Beijing."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from shared.money.months import first_day_after, month_after, months_of


def test_months_are_those_of_beijing() -> None:
    december = datetime(2026, 11, 30, 16, tzinfo=timezone.utc)

    assert months_of(december - timedelta(seconds=1), december) == ["2026-11", "2026-12"]
    assert months_of(december, december + timedelta(days=70)) == ["2026-12", "2027-01", "2027-02"]
    assert first_day_after(december) == "2027-01-01"
    assert month_after(december - timedelta(seconds=1)) == december
