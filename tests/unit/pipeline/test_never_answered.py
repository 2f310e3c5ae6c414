"""Files that the functions may not read, and uploads behind them whose events are lost."""

from __future__ import annotations

import pytest

from shared.bucket.uploads import Upload, uploads_prefix
from shared.events.oss import UploadedObject
from shared.pipeline.reconcile.repairs import lost_uploads
from shared.problems.exceptions import TransientError
from tests.support.fakes import etag_of
from tests.support.functions import BUCKET_NAME
from tests.support.pipeline import Harness

CONTENT = b"1,hello\n"


class Bench(Harness):
    """Events of ``inbox/`` are lost unless they are delivered; what is archived cannot be read."""

    def __init__(self) -> None:
        super().__init__()
        self.archived: set[str] = set()
        self.store.before = self._refuse

    def _refuse(self, what: str, key: str) -> None:
        if what == "read" and key in self.archived:
            raise TransientError("403 InvalidObjectState: the object is archived")

    def validate(self, key: str) -> None:
        try:
            self.functions.validate(UploadedObject(BUCKET_NAME, key, ""), self.run_id())
        except TransientError:
            self.said["not read"] += 1

    def pass_minutes(self, minutes: int) -> None:
        for _ in range(minutes):
            self.tick()
            for key in self.store.keys("again/"):
                if (head := self.store.head(key)) and head.modified_at == self.clock.now():
                    self.validate(key)

    def jobs_of(self, key: str) -> set[str]:
        pointers = self.store.keys(uploads_prefix(BUCKET_NAME, key, etag_of(CONTENT)))
        found = [self.records.find(pointer, Upload) for pointer in pointers if pointer.endswith("Z")]
        return {upload.job_id for upload in found if upload}


@pytest.mark.parametrize("archived", [1, 4])
def test_a_lost_upload_is_seen_however_many_lie_behind_files_that_cannot_be_read(
    archived: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_uploads, "_MOST_FILES", 15)
    bench = Bench()
    bench.tick()
    for number in range(archived):
        key = f"inbox/archived-{number}.csv"
        bench.archived.add(key)
        bench.store.put(key, CONTENT)
    for number in range(20):
        bench.store.put(f"inbox/{number:02d}.csv", CONTENT)
        bench.validate(f"inbox/{number:02d}.csv")
        bench.pass_minutes(5)
    bench.store.put("inbox/lost.csv", CONTENT)

    bench.pass_minutes(20)

    assert len(bench.jobs_of("inbox/lost.csv")) == 1
    assert not any(map(bench.jobs_of, bench.archived))
    tried = bench.said["not read"]
    bench.pass_minutes(20)
    assert bench.said["not read"] >= tried + archived
    # Somebody tidies up; the files are asked for even so. Then they are restored.
    for key in bench.store.keys("again/"):
        bench.store.delete(key)
    restored, bench.archived = bench.archived, set()
    bench.pass_minutes(20)
    assert [len(bench.jobs_of(key)) for key in restored] == [1] * archived
    assert not bench.store.keys("again/")
