"""Answers of earlier jobs that rows of one shard get, since they ask the same."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from functools import cached_property
from types import TracebackType

from shared.bucket.records.plan import Plan
from shared.formats.write_blocks import TextsInFile
from shared.results.columns import Answer
from shared.results.kept_rows import OriginalRow
from shared.results.rendering import AnswerRenderer, SettledAnswer

# Of a kept answer: the digest of what was asked stands where its id was, in hexadecimal digits.
_DIGEST = slice(2, 34)


def digest_in(line: bytes) -> bytes:
    """What was asked, of a kept answer's line."""
    return line[_DIGEST]


class ReusedAnswers:
    """Keeps the answers on local disk, and where each stands in memory.

    They are no more than the answers of a shard in which every row is sent.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # closed by __exit__
        self._texts = TextsInFile(self._file)
        self._kept: dict[str, tuple[int, int]] = {}

    def __enter__(self) -> ReusedAnswers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @cached_property
    def _render(self) -> AnswerRenderer:
        return AnswerRenderer(self._plan)  # of columns it takes a while, and few shards need it

    def keep(self, lines: Iterable[bytes]) -> None:
        """All of them, as they lie beside the shard's rows."""
        for line in lines:
            self._kept[digest_in(line).decode()] = self._texts.add(line)

    def answer_for(self, row: OriginalRow) -> SettledAnswer:
        line = self._texts.read(*self._kept[row.reuses])
        return self._render.settled(Answer.from_line(line)._replace(custom_id=row.custom_id))
