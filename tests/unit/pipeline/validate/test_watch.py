"""A validation that takes long shows that it lives, and says so where it takes too long."""

from __future__ import annotations

import re
from datetime import timedelta

from shared.events.oss import UploadedObject
from shared.pipeline.deadlines import INBOX_SWEEP_AFTER
from shared.pipeline.validate.validate_file import ValidateFile
from shared.pipeline.validate.validate_result import Validated
from shared.ports.choice import ProviderChoice
from shared.problems.exceptions import TransientError
from shared.providers.bailian.profile import BAILIAN
from tests.support.builders import request_line
from tests.support.fakes import FixedClock, MemoryStore

LINES = [request_line(str(number)) for number in range(3_000)]
# Two lines are wrong, so that a whole file is read after its drafts were removed.
REFUSED = [*LINES[:10], b"{\n", *LINES[10:-1], b"}\n"]


class SlowStore(MemoryStore):
    """Takes its time for each hundred lines of the file, and loses the second sign of life."""

    def __init__(self, clock: FixedClock, file: list[bytes], per_read: timedelta) -> None:
        super().__init__(clock)
        self.clock, self.file, self.per_read = clock, file, per_read
        self.signs: list[timedelta] = []
        self.put("inbox/q.jsonl", b"".join(file))
        self.began_at = clock.now()
        self.before = self.look

    def read(self, key: str, *, etag: str | None = None):  # type: ignore[no-untyped-def]  # as there
        b"".join(super().read(key, etag=etag))
        for first in range(0, len(self.file), 100):
            yield b"".join(self.file[first : first + 100])
            self.clock.advance(self.per_read)

    def look(self, what: str, key: str) -> None:
        if what == "put" and ".start-" in key:
            self.signs.append(self.clock.now() - self.began_at)
            if len(self.signs) == 2:
                raise TransientError("the second sign does not come through")


def validate(store: SlowStore, within: timedelta | None = None) -> Validated:
    choice = ProviderChoice([BAILIAN], "bailian", ["bailian"])
    stop_at = None if within is None else store.began_at + within
    run = ValidateFile(store, store.clock, choice, "qwen-flash", "run", stop_at)
    return run(UploadedObject("drop", "inbox/q.jsonl", ""))


def test_it_shows_that_it_lives_before_it_counts_as_dead() -> None:
    for file, said in ((LINES, "planned"), (REFUSED, "rejected")):
        store = SlowStore(FixedClock(), file, timedelta(minutes=1))

        assert validate(store) == said

        silences = [later - earlier for earlier, later in zip(store.signs, store.signs[1:], strict=False)]
        assert len(store.signs) > 5
        assert max(silences) < INBOX_SWEEP_AFTER
        assert not [key for key in store.objects if ".start-" in key]


def test_a_file_that_takes_too_long_is_refused_with_how_far_it_was_read() -> None:
    store = SlowStore(FixedClock(), LINES, timedelta(minutes=1))

    said = validate(store, within=timedelta(minutes=10))

    report = store.get("rejected/q.jsonl.report.txt").decode("utf-8-sig")
    assert said == "rejected"
    assert "[file_takes_too_long]" in report
    (rows,) = re.findall(r"come to row (\d+)", report)
    assert 900 < int(rows) < 1_300
    assert not [key for key in store.objects if key.startswith(("work/", "ready/"))]
    assert not [key for key in store.objects if ".start-" in key]


def test_a_file_that_is_read_in_time_is_planned() -> None:
    store = SlowStore(FixedClock(), LINES, timedelta(minutes=1))

    assert validate(store, within=timedelta(minutes=40)) == "planned"
