"""The bucket: fails as a real one does, and watches its records and what each function may do."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from shared.bucket.keys import BOARD
from shared.bucket.uploads import upload_done_key, upload_key
from shared.ports.store import ObjectHead
from shared.problems.exceptions import TransientError
from tests.simulation.kernel import Kernel
from tests.support.fakes import START, MemoryStore
from tests.support.functions import BUCKET_NAME
from tests.support.roles import DELETES, LOOKS, READS, WRITES

# Records that are meant to be written again: marks of time, and the reports' record.
_REWRITTEN = (".done", "/dropped-again.json")

# What the template's roles allow, by the port's calls; tests/rules/test_template.py compares them.
_ACTIONS = {
    "put": "put", "create": "put", "write": "put", "concatenate": "put", "delete": "delete",
    "get": "get", "read": "get", "head": "get", "list": "get",
}  # fmt: skip


def _allowed(function: str) -> dict[str, tuple[str, ...]]:
    role = {"put": WRITES[function], "get": READS[function], "delete": DELETES[function]}
    looks = {"look": ("",) if function in LOOKS else ()}
    return {call: tuple(role[action]) for call, action in _ACTIONS.items()} | looks


# Where each function may do what: asked at every call, so in the form that costs least.
_ALLOWED: dict[str | None, dict[str, tuple[str, ...]]] = {each: _allowed(each) for each in WRITES}


# What whole seconds do is seen where much happens within one: there all is as quick as in a cloud.
_QUICK = 0.1
# Behind so many all that is left comes in one page, or long lists take up most of a run.
_SHORT_PAGES = 16


class _StoreClock:
    """The store's own time, which is right; it may tell whole seconds only."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._is_coarse = kernel.faults.strikes("whole_seconds", "bucket", 0, likely=3)
        if self._is_coarse:
            kernel.pace = _QUICK
            # In which order two versions of one second were seen is told by the functions' clocks.
            kernel.faults.rates.pop("clock_skewed", None)

    def now(self) -> datetime:
        now_s = self._kernel.now_s
        return START + timedelta(seconds=int(now_s) if self._is_coarse else now_s)


class Bucket(MemoryStore):
    """The fake store with a run's faults; every method is one call of a port, or several.

    Attributes:
        poison: Files that kill whoever reads them.
        unbacked: Ledgers that were written when the result that they name was not there, though
            nobody deleted it meanwhile, nor an erasure of an older version, which brings it back.
        removed_s: When each key was last removed.
        overwritten: Records under jobs/ whose bytes were changed, which must never happen.
        forbidden: What a function did that its role in the template does not allow.
        boards: What ``board.json`` said, in turn.
    """

    def __init__(self, kernel: Kernel, wrote: Callable[[str], None]) -> None:
        super().__init__(_StoreClock(kernel), wrote)
        self._kernel = kernel
        self._page = 1 if kernel.faults.strikes("short_pages", "bucket", 0, likely=3) else None
        self.overwritten: list[str] = []
        self.forbidden: set[str] = set()
        self.poison: set[str] = set()
        self.unbacked: list[str] = []
        self.boards: list[bytes] = []
        self._taken: set[str] = set()
        self.removed_s: dict[str, float] = {}

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectHead]:
        """Page by page: others may act between two pages."""
        for number in itertools.count():
            self._call("list", prefix)
            length = self._page if number < _SHORT_PAGES else None
            page = self.keys(prefix)
            if length is not None or after:
                page = [key for key in page if key > after][:length]
            for key in page:
                if key in self._heads:
                    yield self._heads[key]
            after = page[-1] if page else after
            if length is None or len(page) < length:
                return

    def drop(self, key: str, content: bytes) -> None:
        """What a person does: no call of a port."""
        self._write(key, content, if_absent=False)

    def written_s(self, key: str) -> float:
        """When the object was written, as it says; infinite if there is none."""
        return (self._heads[key].modified_at - START).total_seconds() if key in self._heads else math.inf

    def find_head(self, key: str) -> ObjectHead | None:
        """The same."""
        return self._heads.get(key)

    def became_a_job(self, key: str) -> bool:
        """Whether the dropped file that lies there is a job, not only decided to be one."""
        head = self._heads.get(key)
        upload = head and self.objects.get(upload_key(BUCKET_NAME, key, head.etag, head.modified_at))
        return bool(upload) and f"jobs/{json.loads(upload)['job_id']}/plan.json" in self.objects

    def is_answered(self, key: str) -> bool:
        """Whether the dropped file that lies there, if one does, is a job or was refused."""
        head = self._heads.get(key)
        return head is None or upload_done_key(BUCKET_NAME, key, head.etag, head.modified_at) in self.objects

    def remove(self, key: str) -> None:
        """The same."""
        self._remove(key)

    def _remove(self, key: str) -> None:
        if self._kernel.acting in ("erase", None):
            self._taken.add(key)
        self.removed_s[key] = self._kernel.now_s
        super()._remove(key)

    def _chunks(self, key: str, content: bytes) -> Iterator[bytes]:
        if key in self.poison and self._kernel.acting == "validate":
            self._kernel.kill()
        middle = len(content) // 2
        yield content[:middle]
        if self._kernel.faults.strikes("read_breaks", key, self._kernel.now_s, likely=0.2):
            raise TransientError(f"{key}: the connection broke")
        yield content[middle:]

    def _call(self, what: str, key: str) -> None:
        kernel = self._kernel
        kernel.call(f"{what} {key}")
        allowed = _ALLOWED.get(kernel.acting)
        if allowed and not key.startswith(allowed[what]):
            self.forbidden.add(f"{kernel.acting} may not {what} {key.split('/', maxsplit=1)[0]}/")
        faults = kernel.faults
        if "store_fails" in faults.rates and faults.strikes("store_fails", key, kernel.now_s, likely=0.2):
            raise TransientError(f"{what} {key}: 503")

    def _done(self, what: str, key: str) -> None:
        if self._kernel.faults.strikes("store_fails_after", key, self._kernel.now_s, likely=0.2):
            raise TransientError(f"{what} {key}: no answer, but it was done")

    def _write(self, key: str, content: bytes, *, if_absent: bool) -> bool:
        is_erased = self._kernel.acting == "erase"  # which reduces records, and has deleted the result
        is_record = key.startswith("jobs/") and not key.endswith(_REWRITTEN) and not is_erased
        if is_record and not if_absent and self.objects.get(key, content) != content:
            self.overwritten.append(key)
        is_new = super()._write(key, content, if_absent=if_absent)
        if key == BOARD:
            self.boards.append(content)
        if (
            key.endswith("/ledger.json")
            and is_new
            and not is_erased
            and json.loads(content)["result_key"] not in self.objects.keys() | self._taken
        ):
            self.unbacked.append(key)
        is_conflict = if_absent and is_new and self._kernel.acting is not None
        # The answer was lost, and the client sent it again: that finds what the first had written.
        return is_new and not (
            is_conflict and self._kernel.faults.strikes("own_conflict", key, self._kernel.now_s, likely=0.3)
        )
