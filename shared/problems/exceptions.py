"""The errors of Batchdrop, by who must act.

::

    PipelineError
    ├── UserInputError      the uploader changes the file    → write the report, return normally
    ├── ConfigurationError  the operator changes a setting   → fail before any work
    │   └── ProviderTrouble the operator pays, opens a model,
    │                       corrects the key                 → wait; the work then goes on by itself
    ├── ProviderRejected    the provider refused for good    → record it, the rows get its reason
    ├── ObjectMissing       the object is not there          → the caller knows what that means
    ├── WorkLeft            the time is over; what is done stays  → another invocation goes on
    ├── CeilingReached      what may be spent is used up     → wait; the work then goes on by itself
    ├── ChannelRefused      a chat or mailbox took no word   → later again, and in the end given up
    └── TransientError      nobody; try again unchanged      → leave the handler, FC retries
        ├── OutcomeUnknown  the call may have been carried out (time-out, cut connection)
        └── QuotaReached    the provider has no room now; the call was not carried out → wait longer
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from shared.problems.problem import Problem


class PipelineError(Exception):
    """Anything that Batchdrop raises on purpose; ``code`` is stable, for logs and reports."""

    code = "pipeline_error"


class UserInputError(PipelineError):
    """The uploaded file or its recipe is wrong; carries every problem found, for the report."""

    code = "user_input_error"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.code for problem in problems[:5]))
        self.problems = tuple(problems)


class ConfigurationError(PipelineError):
    """A setting, a permission or an API key is wrong; the operator must change it.

    Attributes:
        trouble: The code of the message in ``shared.problems.messages.provider`` that says who must
            do what, for work that waits until then.
        facts: Its message without the remedy, which is for the log: that message says it, too.
    """

    code = "configuration_error"

    def __init__(self, message: str, trouble: str = "provider_refuses", *, remedy: str = "") -> None:
        super().__init__(f"{remedy} {message}".strip())
        self.trouble = trouble
        self.facts = message.rstrip(".。")


class ProviderTrouble(ConfigurationError):
    """The work waits until somebody mends account, key, model or address, or the version."""

    code = "provider_trouble"


class ObjectMissing(PipelineError):
    """The store has no object under this key."""

    code = "object_missing"


class CeilingReached(PipelineError):
    """What is to be sent does not fit under a ceiling now; the problem says what may change that.

    Attributes:
        is_for_people: Somebody may have to act; otherwise it passes by itself.
        until: Before then nothing but a higher ceiling makes room; ``None`` if something may come
            free at any time.
        budget: Whose ceiling it is: ``all``, ``folder`` and which, or ``job``.
    """

    code = "ceiling_reached"

    def __init__(
        self, problem: Problem, *, is_for_people: bool, until: datetime | None = None, budget: str = ""
    ) -> None:
        super().__init__(problem.code)
        self.problem, self.is_for_people, self.until = problem, is_for_people, until
        self.budget = budget


class ChannelRefused(PipelineError):
    """A channel did not take a word. The message names no address: that may hold a secret.

    Attributes:
        is_gone: It says that it never will again.
        is_silent: It did not answer in time, and others should not wait for it.
        problem: The code of what people must mend, if that is known.
    """

    code = "channel_refused"

    def __init__(
        self, message: str, *, is_gone: bool = False, is_silent: bool = False, problem: str = ""
    ) -> None:
        super().__init__(message)
        self.is_gone, self.is_silent, self.problem = is_gone, is_silent, problem


class TransientError(PipelineError):
    """Trying again may help: time-outs, 429, 5xx. Leaving a handler with it makes FC retry."""

    code = "transient_error"


class OutcomeUnknown(TransientError):
    """No answer came: the call may have been carried out. Look before doing it again."""

    code = "outcome_unknown"


class QuotaReached(TransientError):
    """The provider has no room for us now (429); the call was not carried out.

    Attributes:
        trouble: The code of the message about it if it lasts for days, so that people are told; as
            of ``ProviderTrouble``.
    """

    code = "quota_reached"

    def __init__(self, message: str, trouble: str = "") -> None:
        super().__init__(message)
        self.trouble = trouble


class WorkLeft(PipelineError):
    """A part of the work is done and kept; an invocation with time of its own goes on with it."""

    code = "work_left"


class ProviderRejected(PipelineError):
    """The provider refused this request for good; the same request will be refused again.

    Attributes:
        provider_code: The provider's own error code, for the result CSV.
        status: The HTTP status of the refusal.
        request_id: What the provider's support asks for.
    """

    code = "provider_rejected"

    def __init__(
        self, message: str, *, provider_code: str = "", status: int = 0, request_id: str = ""
    ) -> None:
        super().__init__(message)
        self.provider_code = provider_code
        self.status = status
        self.request_id = request_id
