"""Shows that a long validation lives, and ends one in time to say that the file is too large."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.inputs.reading import RowReader
from shared.inputs.rows import InputRow, RowBlock
from shared.pipeline.deadlines import SIGN_OF_LIFE
from shared.ports.clock import Clock
from shared.problems.exceptions import TransientError, UserInputError
from shared.problems.problem import Problem, Values

# Of rows, which may have megabytes each, or of blocks of rows: to look costs less than to read one.
_LOOKED_EVERY = 8
# What the next files may have, so that they are through by a good margin.
_SHARE_OF_ROWS = 0.8


@dataclass(frozen=True)
class Watch:
    """Looks at the clock while the rows of a file go by.

    Attributes:
        show_life: Renews what tells others that this run is at work.
        stop_at: Later there is no time to remove drafts and write a report; ``None`` if the
            platform does not say when the run ends.
    """

    clock: Clock
    show_life: Callable[[], object]
    stop_at: datetime | None = None

    def __call__(self, reader: RowReader) -> Iterator[InputRow | RowBlock]:
        """The reader's rows.

        Raises:
            EncodingMismatch: As the reader.
            UserInputError: The file takes too long.
        """
        began_at = shown_at = self.clock.now()
        for number, item in enumerate(reader.blocks(), start=1):
            if number % _LOOKED_EVERY == 0:
                now = self.clock.now()
                if self.stop_at is not None and now >= self.stop_at:
                    raise UserInputError([_too_long(reader.facts.rows, now - began_at)])
                if now - shown_at >= SIGN_OF_LIFE:
                    shown_at = now
                    with suppress(TransientError):  # the next sign may come through
                        self.show_life()
            yield item


def _too_long(rows: int, took: timedelta) -> Problem:
    most = int(rows * _SHARE_OF_ROWS)
    values: Values = {"rows": rows, "seconds": round(took.total_seconds()), "max_rows": most}
    return Problem("file_takes_too_long", values=values)
