"""Months as the clouds' bills have them: those of Beijing, whose clock is never changed."""

from __future__ import annotations

from datetime import datetime, timedelta

_BEIJING = timedelta(hours=8)


def month_of(at: datetime) -> str:
    return f"{at + _BEIJING:%Y-%m}"


def month_after(at: datetime) -> datetime:
    """When the next month begins, in UTC."""
    later = (at + _BEIJING).replace(day=28) + timedelta(days=4)
    return later.replace(day=1, hour=0, minute=0, second=0, microsecond=0) - _BEIJING


def first_day_after(at: datetime) -> str:
    """Of the next month."""
    return f"{month_after(at) + _BEIJING:%Y-%m-%d}"


def months_of(first: datetime, last: datetime) -> list[str]:
    """All from the one to the other, in order."""
    found, at = [month_of(first)], first
    while found[-1] < month_of(last):
        at += timedelta(days=1)
        if month_of(at) != found[-1]:
            found.append(month_of(at))
    return found
