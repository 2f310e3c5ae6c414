"""The answers of one attempt on local disk, found again by ``custom_id``: providers keep no order."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable
from types import TracebackType

from shared.domain.answers import Answer, RowStatus, parse_result_line
from shared.domain.records import Tokens


class AnswerSpool:
    """Holds one offset a row in memory and everything else in a temporary file.

    An id that was not asked for is counted and dropped: it may be another shard's. Of a repeated id the first
    answer wins, but an answer wins over a refusal.
    """

    def __init__(self, asked: Iterable[str]) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed by __exit__
        self._offsets: dict[str, int | None] = dict.fromkeys(asked)
        self._answered: set[str] = set()
        self.tokens = Tokens()
        self.unknown_ids = 0
        self.repeated_ids = 0
        self.unreadable_lines = 0

    def __enter__(self) -> AnswerSpool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def asked(self) -> Collection[str]:
        return self._offsets.keys()

    @property
    def found(self) -> int:
        """How many of the asked ids have a line, whatever it says."""
        return sum(offset is not None for offset in self._offsets.values())

    def add_lines(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            answer = parse_result_line(line)
            if answer is None:
                self.unreadable_lines += 1
            elif answer.custom_id not in self._offsets:
                self.unknown_ids += 1
            else:
                self.add(answer)

    def add(self, answer: Answer) -> None:
        if self._offsets[answer.custom_id] is not None:
            self.repeated_ids += 1
            if answer.custom_id in self._answered or answer.status is not RowStatus.ANSWERED:
                return
        self._offsets[answer.custom_id] = self._file.seek(0, 2)
        self._file.write(answer.to_line())
        self.tokens += Tokens(
            prompt=answer.prompt_tokens or 0,
            completion=answer.completion_tokens or 0,
            total=answer.total_tokens or 0,
        )
        if answer.status is RowStatus.ANSWERED:
            self._answered.add(answer.custom_id)

    def find(self, custom_id: str) -> Answer | None:
        offset = self._offsets.get(custom_id)
        if offset is None:
            return None
        self._file.seek(offset)
        return Answer.from_line(self._file.readline())
