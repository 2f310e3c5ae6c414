"""The bucket: fails as a real one does, and watches its records and what each function may do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shared.problems.exceptions import TransientError
from tests.simulation.kernel import Kernel
from tests.support.fakes import MemoryStore
from tests.support.roles import DELETES, READS, WRITES

# Records that are meant to be written again: marks of time, and the reports' record.
_REWRITTEN = (".done", "/dropped-again.json", "/rejection.json")

# What the template's roles allow, by the port's calls; tests/rules/test_template.py compares them.
_ACTIONS = {
    "put": "put", "create": "put", "write": "put", "concatenate": "put", "delete": "delete",
    "get": "get", "read": "get", "head": "get", "list": "get",
}  # fmt: skip


def _allowed(function: str) -> dict[str, tuple[str, ...]]:
    role = {"put": WRITES[function], "get": READS[function], "delete": DELETES[function]}
    return {call: tuple(role[action]) for call, action in _ACTIONS.items()}


# Where each function may do what: asked at every call, so in the form that costs least.
_ALLOWED = {function: _allowed(function) for function in WRITES}


class Bucket(MemoryStore):
    """The fake store with a run's faults; every method is one call of a port, or several.

    Attributes:
        overwritten: Records under jobs/ whose bytes were changed, which must never happen.
        forbidden: What a function did that its role in the template does not allow.
    """

    def __init__(self, kernel: Kernel, wrote: Callable[[str], None]) -> None:
        super().__init__(kernel, wrote)
        self._kernel = kernel
        self.overwritten: list[str] = []
        self.forbidden: set[str] = set()

    def drop(self, key: str, content: bytes) -> None:
        """What a person does: no call of a port."""
        self._write(key, content, if_absent=False)

    def _chunks(self, key: str, content: bytes) -> Iterator[bytes]:
        middle = len(content) // 2
        yield content[:middle]
        if self._kernel.faults.strikes("read_breaks", key, self._kernel.now_s, likely=0.2):
            raise TransientError(f"{key}: the connection broke")
        yield content[middle:]

    def _call(self, what: str, key: str) -> None:
        self._kernel.call(f"{what} {key}")
        function = self._kernel.acting
        if function in _ALLOWED and not key.startswith(_ALLOWED[function][what]):
            self.forbidden.add(f"{function} may not {what} {key.split('/', maxsplit=1)[0]}/")
        if self._kernel.faults.strikes("store_fails", key, self._kernel.now_s, likely=0.2):
            raise TransientError(f"{what} {key}: 503")

    def _done(self, what: str, key: str) -> None:
        if self._kernel.faults.strikes("store_fails_after", key, self._kernel.now_s, likely=0.2):
            raise TransientError(f"{what} {key}: no answer, but it was done")

    def _write(self, key: str, content: bytes, *, if_absent: bool) -> bool:
        is_record = key.startswith("jobs/") and not key.endswith(_REWRITTEN)
        if is_record and not if_absent and self.objects.get(key, content) != content:
            self.overwritten.append(key)
        return super()._write(key, content, if_absent=if_absent)
