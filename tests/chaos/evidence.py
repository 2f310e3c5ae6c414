"""What a run of chaos left behind, for the checks: nothing of it is asked for again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.chaos.books import BookedBatch
from tests.chaos.cloud import Memory
from tests.chaos.dropped import DroppedFile


@dataclass(frozen=True)
class Attack:
    """Something that nobody may do, and the HTTP status that it was answered with."""

    kind: str
    about: str
    status: int


@dataclass(frozen=True)
class Told:
    """The report of a refused file, and how often the timer had come between its drop and it."""

    text: str
    ticks: int


@dataclass
class Evidence:
    """All that the checks go by.

    Attributes:
        files: What was dropped.
        batches: The provider's own books, in the order of creation.
        results: By key; those of erased jobs as they were before.
        ledgers: The results' reports, parsed, by key.
        retries: How often a retry of a file was asked for, by the file's key.
        told: Of each refused file, by the file's key.
        sources: The dropped file of each job, by job.
        left: What should be gone at the end: tickets, marks, slots, files, erased texts.
        missing: What other people had at the provider, and is gone.
        attacks: What was tried from outside.
        memory: The highest peak of each function's workers.
    """

    files: list[DroppedFile] = field(default_factory=list)
    batches: list[BookedBatch] = field(default_factory=list)
    results: dict[str, bytes] = field(default_factory=dict)
    ledgers: dict[str, Mapping[str, object]] = field(default_factory=dict)
    retries: Mapping[str, int] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    attacks: list[Attack] = field(default_factory=list)
    memory: dict[str, Memory] = field(default_factory=dict)
