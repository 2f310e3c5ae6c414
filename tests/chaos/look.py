"""Looks at what a run has left, on the disk and at the provider."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from shared.bucket.keys import AGAIN, OPEN, WAITING, Stage
from shared.bucket.slot_keys import slots_prefix
from shared.bucket.uploads import upload_done_key
from shared.pipeline.quota.slots import free_slots
from shared.providers.bailian.profile import BAILIAN
from tests.chaos.books import file_names, read_books
from tests.chaos.cloud import BUCKET
from tests.chaos.dropped import DroppedFile
from tests.chaos.evidence import Evidence, Told

# What somebody else keeps at the provider.
FOREIGN_FILE, FOREIGN_BATCH = "others.jsonl", "somebody-elses"
_WORK = (*(stage.value for stage in Stage), AGAIN, OPEN, WAITING)


class Look:
    """At a data folder whose cloud runs."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._bucket_dir = data_dir / BUCKET

    def text(self, key: str) -> str:
        """The object's text; empty if there is none."""
        content = self.content(key)
        return content.decode() if content else ""

    def content(self, key: str) -> bytes | None:
        try:
            return (self._bucket_dir / key).read_bytes()
        except FileNotFoundError:
            return None

    def ledger(self, file: DroppedFile) -> dict[str, Any]:
        content = self.content(file.report_key)
        return json.loads(content) if content else {}

    def time_of(self, key: str) -> float:
        """When the object was written, in epoch seconds; 0 if there is none."""
        path = self._bucket_dir / key
        return path.stat().st_mtime if path.exists() else 0.0

    def was_looked_at(self, file: DroppedFile, dropped_s: float) -> bool:
        """Whether ``validate`` has answered the last drop of the file."""
        etag = hashlib.md5(file.content, usedforsecurity=False).hexdigest().upper()
        since = upload_done_key(BUCKET, file.key, etag, datetime.fromtimestamp(dropped_s, timezone.utc))
        done = (self._bucket_dir / since).parent.glob("*.done")
        return any(path.name >= Path(since).name for path in done)

    def left(self) -> list[str]:
        """What is there only while something is to be done."""
        tickets = [key for prefix in _WORK for key in self._keys(prefix)]
        return [*tickets, *self._slots(), *(f"the provider's {name}" for name in self._files())]

    def batches_end(self) -> bool:
        return all(batch.has_ended for batch in read_books(self._data_dir))

    def missing(self) -> list[str]:
        """What somebody else kept at the provider, and has no more."""
        names = file_names(self._data_dir)
        theirs = [FOREIGN_FILE]
        theirs += [
            f"{batch.batch_id}_success.jsonl" for batch in read_books(self._data_dir) if not batch.is_ours
        ]
        return [f"the provider's {name}" for name in theirs if name not in names]

    def quotes(self, file: DroppedFile) -> list[str]:
        """The objects that still hold texts of an erased file, but for what was dropped again."""
        text = file.rows[0].prompt.removeprefix("Say ").encode()
        return [
            f"the text of erased {file.key} in {key}"
            for key in self._keys("")
            if key != file.key and text in (self.content(key) or b"")
        ]

    def sources(self) -> dict[str, str]:
        """Of each job, and each refusal by its report: the file that it was made of."""
        plans = (self._bucket_dir / "jobs").glob("*/plan.json")
        made = {path.parent.name: path.read_bytes() for path in plans}
        sources = {job: json.loads(plan)["source"]["key"] for job, plan in made.items() if plan}
        rejected = self._bucket_dir / "rejected"
        for path in rejected.rglob("*.report.txt"):
            name = path.relative_to(rejected).as_posix()
            sources[f"rejected/{name}"] = f"inbox/{name.removesuffix('.report.txt')}"
        return sources

    def told(self, file: DroppedFile, dropped_s: float) -> Told | None:
        text, told_s = self.text(file.rejection_key), self.time_of(file.rejection_key)
        ticks = sum(dropped_s < tick_s < told_s for tick_s in self._ticks())
        return Told(text, ticks) if text else None

    def gather(self, files: list[DroppedFile], evidence: Evidence) -> None:
        """Everything that can be read once all has ended; what ``evidence`` has of it stays."""
        for file in files:
            content = self.content(file.result_key)
            if content is not None:
                evidence.results[file.result_key] = content
                evidence.ledgers[file.report_key] = self.ledger(file)
        evidence.files = files
        evidence.batches = read_books(self._data_dir)
        evidence.sources = self.sources()
        evidence.missing = self.missing()
        evidence.left += self.left()

    def logged_bytes(self) -> int:
        return sum(log.stat().st_size for log in (self._data_dir / ".localcloud" / "logs").glob("*.log"))

    def _ticks(self) -> Iterator[float]:
        """When the timer's runs ended; a killed run is none."""
        log = self._data_dir / ".localcloud" / "logs" / "reconcile.log"
        for line in log.read_bytes().split(b"\n"):
            if b'"reconcile.finished"' in line or b'"reconcile.cut_short"' in line:
                yield datetime.fromisoformat(json.loads(line)["time"].replace("Z", "+00:00")).timestamp()

    def _keys(self, prefix: str) -> Iterator[str]:
        for path in (self._bucket_dir / prefix).rglob("*"):
            if path.is_file():
                yield path.relative_to(self._bucket_dir).as_posix()

    def _slots(self) -> Iterator[str]:
        for pool in BAILIAN.pools:
            taken = pool.slots - len(free_slots(pool, self._keys(slots_prefix(pool.name))))
            if taken:
                yield f"{taken} slots of {pool.name}"

    def _files(self) -> Iterator[str]:
        theirs = {FOREIGN_FILE}
        for batch in read_books(self._data_dir):
            if not batch.is_ours:
                theirs |= {f"{batch.batch_id}_{end}.jsonl" for end in ("success", "error")}
        yield from (name for name in file_names(self._data_dir) if name not in theirs)
