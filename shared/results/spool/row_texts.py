"""The text of each row, in a temporary file."""

from __future__ import annotations

import tempfile
from array import array

from shared.formats.write_blocks import TextsInFile


class RowTexts:
    """Of each row the last text that was put, and perhaps a second one beside it."""

    def __init__(self, rows: int) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # closed by close
        self._texts = TextsInFile(self._file)
        self._starts = array("Q", bytes(8 * rows))
        self._lengths = array("Q", bytes(8 * rows))
        self._beside: dict[int, tuple[int, int]] = {}

    def close(self) -> None:
        self._file.close()

    def put(self, index: int, content: bytes) -> None:
        self._starts[index], self._lengths[index] = self._texts.add(content)

    def get(self, index: int) -> bytes:
        return self._texts.read(self._starts[index], self._lengths[index])

    def put_beside(self, index: int, content: bytes) -> None:
        self._beside[index] = self._texts.add(content)

    def beside(self, index: int) -> bytes | None:
        place = self._beside.get(index)
        return self._texts.read(*place) if place else None

    def forget_beside(self, index: int) -> None:
        self._beside.pop(index, None)
