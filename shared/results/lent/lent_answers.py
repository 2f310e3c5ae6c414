"""Answers of one shard that further rows get, too, since they ask the same."""

from __future__ import annotations

import tempfile
from types import TracebackType

from shared.formats.write_blocks import TextsInFile
from shared.results.kept_rows import OriginalRow
from shared.results.rendering import SettledAnswer


class LentAnswers:
    """Keeps the answers on local disk, and a few numbers of each in memory.

    With those that its last attempt was given, they are no more than the answers of a shard in
    which every row is sent.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # closed by __exit__
        self._texts = TextsInFile(self._file)
        self._kept: dict[object, tuple[SettledAnswer, tuple[int, int]]] = {}

    def __enter__(self) -> LentAnswers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def keep(self, place: int | tuple[int, int], settled: SettledAnswer) -> None:
        """The answer to one of the shard's requests, by its place among them, or of another's."""
        self._kept[place] = settled._replace(rendered=b""), self._texts.add(settled.rendered)

    def answer_for(self, row: OriginalRow) -> SettledAnswer:
        """What a row gets that has a lender: an earlier row, so its answer is kept by now."""
        lender = row.lender if isinstance(row.lender, int) else tuple(row.lender or ())
        settled, where = self._kept[lender]
        return settled._replace(custom_id=row.custom_id, rendered=self._texts.read(*where))
