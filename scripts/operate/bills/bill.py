"""Adds up the closing ledgers of a month, by folder and model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import JOBS, OPEN
from shared.bucket.money import Money
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.usage import AttemptBill, Tokens
from shared.money.months import month_of
from shared.ports.store import ObjectStore

_LEDGER = "/ledger.json"


@dataclass(frozen=True)
class BillLine:
    """What the jobs of one folder and model used.

    Attributes:
        folder: With a slash at its end; empty if the names of its files were erased.
        jobs: Retries are jobs of their own.
        cost: ``None`` where nobody said what the model costs, as ``real_time``.
    """

    folder: str
    provider: str
    model: str
    jobs: int
    tokens: Tokens
    cost: Money | None = None
    real_time: Money | None = None

    @property
    def saved(self) -> Money | None:
        return self.real_time - self.cost if self.real_time and self.cost else None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Lines of the same key are one."""
        return self.folder, self.provider, self.model, self.cost.currency if self.cost else ""

    def plus(self, other: BillLine) -> BillLine:
        return replace(
            self,
            jobs=self.jobs + other.jobs,
            tokens=self.tokens + other.tokens,
            cost=self.cost + other.cost if self.cost and other.cost else None,
            real_time=self.real_time + other.real_time if self.real_time and other.real_time else None,
        )


@dataclass(frozen=True)
class FoundBill:
    """A month's lines.

    Attributes:
        month: As ``2026-11``.
        open_jobs: How many have not ended, so that they stand in no line.
    """

    month: str
    lines: tuple[BillLine, ...]
    open_jobs: int

    @property
    def models_without_price(self) -> list[str]:
        return sorted({each.model for each in self.lines if each.cost is None})

    @property
    def totals(self) -> list[BillLine]:
        """One for each currency, and one for what has no price."""
        return list(_added(replace(each, folder="", provider="", model="") for each in self.lines))


@dataclass(frozen=True)
class Bill:
    """Reads the ledgers. A job belongs to the month in which it ended."""

    store: ObjectStore

    def __call__(self, month: str) -> FoundBill:
        """That of a month such as ``2026-11``, in the time by which ceilings and clouds have it."""
        lines = tuple(_added(map(self._line, self._ledgers(month))))
        open_jobs = sum(1 for _ in self.store.list(OPEN))
        return FoundBill(month, lines, open_jobs)

    def _ledgers(self, month: str) -> Iterator[Ledger]:
        for head in self.store.list(JOBS):
            if not head.key.endswith(_LEDGER) or month_of(head.modified_at) < month:
                continue  # one that was put before did not end later
            ledger = BucketRecords(self.store).find(head.key, Ledger)
            if ledger and month_of(ledger.closed_at) == month:
                yield ledger

    def _line(self, ledger: Ledger) -> BillLine:
        attempts = self._attempts(ledger)
        folder = ledger.source.key.rpartition("/")[0]
        return BillLine(
            folder=f"{folder}/" if folder else "",
            provider=ledger.provider,
            model=ledger.model,
            jobs=1,
            tokens=sum((each.tokens for each in attempts), Tokens()),
            cost=_money(ledger, (each.cost for each in attempts)),
            real_time=_money(ledger, (each.real_time for each in attempts)),
        )

    def _attempts(self, ledger: Ledger) -> list[AttemptBill]:
        """Its own, without those of the jobs that it retries: these have lines of their own."""
        if ledger.attempts:
            return [each for each in ledger.attempts if each.retries == ledger.retries]
        before = BucketRecords(self.store).find_ledger(JobId(ledger.retry_of)) if ledger.retry_of else None
        tokens = _without(ledger.tokens, before.tokens) if before else ledger.tokens
        return [AttemptBill(retries=ledger.retries, attempt=1, tokens=tokens)]


def _added(lines: Iterable[BillLine]) -> Iterator[BillLine]:
    found: dict[tuple[str, str, str, str], BillLine] = {}
    for each in lines:
        found[each.key] = found[each.key].plus(each) if each.key in found else each
    yield from (found[key] for key in sorted(found))


def _money(ledger: Ledger, amounts: Iterable[Money | None]) -> Money | None:
    if ledger.bill is None:
        return None
    return sum((each for each in amounts if each), Money(micros=0, currency=ledger.bill.cost.currency))


def _without(tokens: Tokens, earlier: Tokens) -> Tokens:
    return Tokens(**{name: getattr(tokens, name) - getattr(earlier, name) for name in Tokens.model_fields})
