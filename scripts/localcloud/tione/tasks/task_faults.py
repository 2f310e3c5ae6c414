"""What can be odd about a task on demand, set from Python or by ``POST /_faults``."""

from __future__ import annotations

from typing import Literal

from scripts.localcloud.answers.faults import FaultOrder, Faults, StruckBatch


class TaskFault(StruckBatch):
    """What is odd about the tasks that it strikes; all of it combines.

    Attributes:
        outcome: ``fail`` ends it before its container runs, with ``reason``; ``kill`` ends the
            container as a lack of memory does, and ``stop`` as a person in the console does.
        reason: The ``FailureReason`` for ``fail``.
        after_rows: So many rows are answered before it is killed or stopped, and no more.
        starting_looks: So many times it is described, or refuses to be stopped, before it runs.
        output_after_stop: Its output is copied, too, when it is stopped.
        lose_output: Nothing of its output ever is.
        late_describes: How many times the ended task is described before its output is there.
        lose_manifest: The output has no ``manifest.json``.
        tear_manifest: Half of it.
        lose_lines: So many of the last lines of ``results.jsonl`` are missing.
        tear_line: Of the last of the others, half is there.
        odd_status: A status shown by the first ``odd_status_looks`` descriptions.
        odd_status_looks: See ``odd_status``.
        unlisted_lists: How many lists leave the task out.
        callbacks: How often its end is told to ``CallbackUrl``.
        callback_delay_s: How long after the end.
        forged_callbacks: How often somebody else tells that a task has ended while this one runs.
        cut_connection: Create the task and hang up without an answer.
    """

    outcome: Literal["fail", "kill", "stop"] | None = None
    reason: str = "job failed: the image could not be pulled"
    after_rows: int = 0
    starting_looks: int = 0
    output_after_stop: bool = False
    lose_output: bool = False
    late_describes: int = 0
    lose_manifest: bool = False
    tear_manifest: bool = False
    lose_lines: int = 0
    tear_line: bool = False
    odd_status: str = ""
    odd_status_looks: int = 1
    unlisted_lists: int = 0
    callbacks: int = 1
    callback_delay_s: float = 0.0
    forged_callbacks: int = 0
    cut_connection: bool = False


TioneFaults = Faults[TaskFault]
TioneFaultOrder = FaultOrder[TaskFault]
