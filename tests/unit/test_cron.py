from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from scripts.localcloud.cron import next_fire


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [("@every 30s", 30), ("@every 10m", 600), ("@every 1h", 3600), ("@every 1h30m", 5400)],
)
def test_every_fires_one_period_later(expression: str, seconds: int) -> None:
    now = at("2025-11-21T10:00:00.250")

    assert next_fire(expression, now) == now + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("0 0 4 1 * *", "2025-11-21T10:00:00", "2025-12-01T04:00:00"),
        ("0 0 4 1 * *", "2025-12-01T04:00:00", "2026-01-01T04:00:00"),  # strictly later
        ("0 */5 * * * *", "2025-11-21T23:57:30", "2025-11-22T00:00:00"),
        ("15,45 * * * * *", "2025-11-21T10:00:15", "2025-11-21T10:00:45"),
        ("0 30 8-10/2 * * *", "2025-11-21T08:30:00", "2025-11-21T10:30:00"),
        ("0 0 12 ? * MON-FRI", "2025-11-21T12:00:00", "2025-11-24T12:00:00"),  # Friday, then Monday
        ("0 0 0 ? * 7", "2025-11-21T00:00:00", "2025-11-23T00:00:00"),  # 7 is Sunday, like 0
        ("0 0 0 29 FEB *", "2025-11-21T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 0 13 * FRI", "2025-11-08T00:00:00", "2025-11-13T00:00:00"),  # either kind of day is enough
        ("CRON_TZ=Asia/Shanghai 0 0 4 1 * *", "2025-11-21T10:00:00", "2025-11-30T20:00:00"),
        ("CRON_TZ=Asia/Shanghai 0 30 7 * * *", "2025-11-21T23:00:00", "2025-11-21T23:30:00"),
        (
            "CRON_TZ=Europe/Berlin 0 30 2 * * *",
            "2025-03-29T12:00:00",
            "2025-03-31T00:30:00",
        ),  # no 02:30 on March 30
    ],
)
def test_six_fields_fire_next_at(expression: str, after: str, expected: str) -> None:
    assert next_fire(expression, at(after)) == at(expected)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("@every 0s", "expected a time such as"),
        ("@every soon", "expected a time such as"),
        ("*/5 * * * *", "expected six fields"),
        ("60 * * * * *", "second: '60' is not within 0 and 59"),
        ("* * * * * XXX", "day of week: cannot read 'XXX'"),
        ("*/0 * * * * *", "second: '\\*/0' is not within"),
        ("0 0 0 31 2 *", "never fires"),
        ("CRON_TZ=Asia/Nowhere 0 0 4 1 * *", "unknown time zone 'Asia/Nowhere'"),
    ],
)
def test_a_wrong_expression_says_what_is_wrong(expression: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        next_fire(expression, at("2025-11-21T10:00:00"))


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        next_fire("@every 1m", datetime(2025, 11, 21))  # noqa: DTZ001 - the point
