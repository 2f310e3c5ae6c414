"""What TOS may do, or is said to do; a test switches it on by name."""

from __future__ import annotations

import contextlib
import enum
import threading
from collections.abc import Iterator


class Oddity(enum.Enum):
    """One habit of the service."""

    OPERATION_ABORTED = "of conditional writes of one key at one time, all but one get OperationAborted"
    TAKEN_WITHOUT_EC = "the refusal to overwrite has no EC"
    ENCODED_LISTS = "keys in lists are URL-encoded, whether that was asked for or not"
    HEAD_WITH_LENGTH = "a refused HEAD declares the length of the body that it does not have"
    NOTHING_TO_DELETE = "a DELETE of a key that is not there is answered with NoSuchKey"


class Races:
    """Which keys are being written at this moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._written: set[tuple[str, str]] = set()

    @contextlib.contextmanager
    def alone(self, bucket: str, key: str) -> Iterator[bool]:
        """Whether nobody else is between the beginning and the end of this."""
        with self._lock:
            is_alone = (bucket, key) not in self._written
            self._written.add((bucket, key))
        try:
            yield is_alone
        finally:
            if is_alone:
                with self._lock:
                    self._written.discard((bucket, key))
