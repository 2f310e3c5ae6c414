"""When a Function Compute timer fires next, from its cron expression."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EVERY = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
# Not calendar.month_abbr: that speaks the language of the machine.
_MONTHS = {"JAN": 1, "FEB": 2, "MAR": 3, "APR": 4, "MAY": 5, "JUN": 6}
_MONTHS |= {"JUL": 7, "AUG": 8, "SEP": 9, "OCT": 10, "NOV": 11, "DEC": 12}
_DAYS = {"SUN": 0, "MON": 1, "TUE": 2, "WED": 3, "THU": 4, "FRI": 5, "SAT": 6}
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("second", 0, 59, {}),
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),  # 0 and 7 are Sunday
)
# February 29 comes back after eight years at most (1896 to 1904, 2096 to 2104).
_HORIZON_DAYS = 366 * 8 + 2


def next_fire(expression: str, after: datetime) -> datetime:
    """The first time after ``after``, in UTC, at which the timer fires.

    Args:
        expression: ``@every 1h30m``, or ``sec min hour dom mon dow`` (in UTC unless ``CRON_TZ=Asia/Shanghai``
            stands before it); https://help.aliyun.com/document_detail/2513615.html.
        after: An aware time. For ``@every`` the time of the previous firing, or of the timer's creation.

    Raises:
        ValueError: The expression is wrong, never fires, or ``after`` is naive.
    """
    if after.tzinfo is None:
        raise ValueError("after must be an aware time")
    text = expression.strip()
    if text.startswith("@every"):
        return (after + _period(text)).astimezone(timezone.utc)
    zone: tzinfo = timezone.utc
    if text.startswith("CRON_TZ="):
        name, _, text = text.removeprefix("CRON_TZ=").partition(" ")
        try:
            zone = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"unknown time zone {name!r} in {expression!r}") from error
    return _Cron.parse(text).next_after(after, zone)


def _period(text: str) -> timedelta:
    match = _EVERY.fullmatch(text.removeprefix("@every").strip())
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    period = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if not period:
        raise ValueError(f"{text!r}: expected a time such as @every 10m, @every 1h30m")
    return period


@dataclass(frozen=True)
class _Cron:
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 is Sunday
    either_day: bool  # both kinds of day are restricted: one of them is enough

    @classmethod
    def parse(cls, text: str) -> _Cron:
        words = text.split()
        if len(words) != len(_FIELDS):
            raise ValueError(f"{text!r}: expected six fields (sec min hour dom mon dow), found {len(words)}")
        seconds, minutes, hours, days, months, weekdays = (
            _values(word, *field) for word, field in zip(words, _FIELDS, strict=True)
        )
        return cls(
            seconds=tuple(sorted(seconds)),
            minutes=tuple(sorted(minutes)),
            hours=tuple(sorted(hours)),
            days=days,
            months=months,
            weekdays=frozenset(day % 7 for day in weekdays),
            either_day=words[3][0] not in "*?" and words[5][0] not in "*?",
        )

    def next_after(self, after: datetime, zone: tzinfo) -> datetime:
        start = after.astimezone(zone)
        for offset in range(_HORIZON_DAYS):
            day = start.date() + timedelta(days=offset)
            if self._fires_on(day):
                for moment in self._times(day, zone, start.time() if offset == 0 else time()):
                    if moment > after:
                        return moment
        raise ValueError("this expression never fires")

    def _fires_on(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_day, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_day or by_weekday if self.either_day else by_day and by_weekday

    def _times(self, day: date, zone: tzinfo, earliest: time) -> Iterator[datetime]:
        for hour in (hour for hour in self.hours if hour >= earliest.hour):
            for minute in (
                minute for minute in self.minutes if (hour, minute) >= (earliest.hour, earliest.minute)
            ):
                for second in self.seconds:
                    local = datetime.combine(day, time(hour, minute, second), zone)
                    moment = local.astimezone(timezone.utc)
                    # Skip what the clocks skip when summer time begins.
                    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
                        yield moment


def _values(word: str, what: str, lowest: int, highest: int, names: dict[str, int]) -> frozenset[int]:
    values: set[int] = set()
    for item in word.split(","):
        span, slash, step = item.partition("/")
        first, dash, last = span.partition("-")
        try:
            if span in {"*", "?"}:
                low, high = lowest, highest
            else:
                low = _number(first, names)
                high = _number(last, names) if dash else (highest if slash else low)
            every = int(step) if slash else 1
        except ValueError:
            raise ValueError(f"{what}: cannot read {item!r}") from None
        if not lowest <= low <= high <= highest or every < 1:
            raise ValueError(f"{what}: {item!r} is not within {lowest} and {highest}")
        values.update(range(low, high + 1, every))
    return frozenset(values)


def _number(text: str, names: dict[str, int]) -> int:
    return names[text.upper()] if text.upper() in names else int(text)
