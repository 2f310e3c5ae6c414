"""What can go wrong with a batch on demand, set from Python or by ``POST /_faults``."""

from __future__ import annotations

from typing import Literal

from scripts.localcloud.answers.faults import FaultOrder, Faults, StruckBatch


class BatchFault(StruckBatch):
    """What goes wrong with the batches that it strikes; all of it combines.

    Attributes:
        outcome: ``fail`` refuses the file at validation; ``expire`` and ``cancel`` end the batch
            after ``after_rows`` rows (half of them if not given); ``half_fail`` fails every second
            row, in turn in the error file and in the output file.
        fail_code: The validation code for ``fail``.
        fail_message: Its message.
        after_rows: See ``outcome``.
        report_unprocessed: Whether an expired batch lists its unprocessed rows in the error file.
        lose_lines: How many answered rows are written nowhere (they count as completed).
        repeat_lines: How many output lines appear twice.
        unknown_lines: How many output lines carry a custom_id that nobody sent.
        late_output_gets: How many GETs of the finished batch show no output or error file.
        missing_output: The output file is named, but does not exist.
        unseen_gets: How many GETs after the creation answer 404.
        unlisted_lists: How many list calls leave the batch out.
        cut_connection: Create the batch and hang up without an answer.
        odd_status: An unknown status word, shown by the first ``odd_status_gets`` GETs.
        odd_status_gets: See ``odd_status``.
        callbacks: How often the callback URL is called.
        events: How often ``on_finished`` is called.
    """

    outcome: Literal["fail", "expire", "cancel", "half_fail"] | None = None
    fail_code: str = "internal_error"
    fail_message: str = "The batch could not be validated."
    after_rows: int | None = None
    report_unprocessed: bool = False
    lose_lines: int = 0
    repeat_lines: int = 0
    unknown_lines: int = 0
    late_output_gets: int = 0
    missing_output: bool = False
    unseen_gets: int = 0
    unlisted_lists: int = 0
    cut_connection: bool = False
    odd_status: str = ""
    odd_status_gets: int = 1
    callbacks: int = 1
    events: int = 1

    @property
    def strikes_rows(self) -> bool:
        """Whether it is there before the last row is answered."""
        return self.outcome is not None or self.lose_lines > 0


BailianFaults = Faults[BatchFault]
BailianFaultOrder = FaultOrder[BatchFault]
