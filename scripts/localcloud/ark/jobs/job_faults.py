"""What can be odd about a job on demand, set from Python or by ``POST /_faults``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from scripts.localcloud.answers.faults import FaultOrder, Faults, StruckBatch


class JobFault(StruckBatch):
    """What is odd about the jobs that it strikes; all of it combines.

    Attributes:
        outcome: ``fail`` fails the job at its check with ``fail_message``; ``expire`` and ``stop``
            end it after ``after_rows`` rows (half of them if not given).
        fail_message: The ``Status.Message`` for ``fail``.
        bad_line: Fails the job at this line, as a line that is no JSON does.
        after_rows: See ``outcome``.
        early_s: How long before its ``ExpireTime`` an expired job ends.
        lose_lines: How many answered rows are written nowhere (they count as completed).
        repeat_lines: How many lines of results appear twice.
        unknown_lines: How many lines of results carry a custom_id that nobody sent.
        http_headers: Every second body holds an ``HttpHeader``.
        failed_not_completed: ``Completed`` does not count the failed rows.
        late_gets: How many Gets of the ended job pass before its files are there.
        missing_results: The file with answers never is.
        missing_errors: The file with errors never is.
        errors_beside_results: ``output/errors.jsonl`` in place of ``error/errors.jsonl``.
        errors_elsewhere: The file with errors lies outside the job's folder; only Get says where.
        no_files_after_stop: A terminated job leaves no files.
        odd_phase: A phase shown by the first ``odd_phase_gets`` Gets.
        odd_phase_gets: See ``odd_phase``.
        unlisted_lists: How many lists leave the job out.
        resume_repeats: A job that is resumed answers again what it had answered.
        cut_connection: Create the job and hang up without an answer.
    """

    outcome: Literal["fail", "expire", "stop"] | None = None
    fail_message: Annotated[str, Field(min_length=1)] = "系统内部错误"
    bad_line: int = 0
    after_rows: int | None = None
    early_s: int = 0
    lose_lines: int = 0
    repeat_lines: int = 0
    unknown_lines: int = 0
    http_headers: bool = False
    failed_not_completed: bool = False
    late_gets: int = 0
    missing_results: bool = False
    missing_errors: bool = False
    errors_beside_results: bool = False
    errors_elsewhere: bool = False
    no_files_after_stop: bool = False
    odd_phase: str = ""
    odd_phase_gets: int = 1
    unlisted_lists: int = 0
    resume_repeats: bool = False
    cut_connection: bool = False


ArkFaults = Faults[JobFault]
ArkFaultOrder = FaultOrder[JobFault]
