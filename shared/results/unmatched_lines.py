"""Keeps what a provider's result files hold and no row gets: it may be paid for."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType

from shared.formats.json.compact import compact_json
from shared.ports.store import ObjectStore, ObjectWriter
from shared.results.replies.result_lines import is_object


class UnmatchedLines:
    """Writes them to one object, as they come, so it is never larger than the files.

    A line that is a JSON object stands there as it came, any other text as ``{"line": …}``.
    """

    def __init__(self, store: ObjectStore, key: str) -> None:
        self._store = store
        self._key = key
        self._writer: ObjectWriter | None = None
        self._stack = ExitStack()

    def __enter__(self) -> UnmatchedLines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def add(self, text: bytes) -> None:
        if self._writer is None:
            self._writer = self._stack.enter_context(self._store.open_writer(self._key))
        is_line = b"\n" not in text and is_object(text)
        kept = text if is_line else compact_json({"line": text.decode(errors="replace")}).encode()
        self._writer.write(kept + b"\n")

    def commit(self) -> str:
        """Publish the object, and return its key; "" if there is nothing to keep."""
        if self._writer is None:
            return ""
        self._writer.commit()
        return self._key
