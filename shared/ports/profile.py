"""What must be known of a provider before it is called: plain data that needs no SDK."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import JsonValue

from shared.ports.provider import BatchProblem, FailedFor
from shared.problems.problem import Problem, Values


@dataclass(frozen=True)
class ShardLimits:
    """The bounds of one batch; sizes in bytes, not characters."""

    max_requests: int
    max_bytes: int
    max_line_bytes: int
    warn_line_bytes: int
    max_custom_id_chars: int
    min_window: timedelta
    max_window: timedelta


# OpenAI's paths, which all providers of its form share.
CHAT = "/v1/chat/completions"
EMBEDDINGS = "/v1/embeddings"


@dataclass(frozen=True)
class ProviderQuotas:
    """What one account may have at a time, and how often it may ask; sizes in bytes."""

    unfinished_batches: int
    creates_per_minute: int
    queries_per_minute: int
    lists_per_minute: int
    list_page: int
    uploads_per_second: int
    file_calls_per_second: int
    max_files: int
    max_file_bytes: int


@dataclass(frozen=True)
class SlotPool:
    """A limit of unfinished batches; ``name`` is a folder under ``slots/`` and ``waiting/``."""

    name: str
    slots: int


@dataclass(frozen=True)
class RequestRules:
    """What the request lines of a file, all in OpenAI's form, must hold.

    Attributes:
        endpoints: The URL that the lines name, by the recipe's word.
        default_endpoint_for: By model, the URL of a recipe that names none.
        test_model: Goes with ``test_endpoint`` and with no other; both are empty if there is none.
    """

    endpoints: Mapping[str, str]
    default_endpoint_for: Callable[[str], str]
    test_model: str = ""
    test_endpoint: str = ""

    @property
    def urls(self) -> frozenset[str]:
        return frozenset(self.endpoints.values())

    def are_mismatched(self, model: str, url: str) -> bool:
        """Whether only one of the two is the test's."""
        return (model == self.test_model) != (url == self.test_endpoint)


@dataclass(frozen=True)
class RowCodes:
    """Words in the error codes of single rows, in lower case.

    Attributes:
        retryable: The row was not run, or may be answered next time.
        cancelled: The row was not run because its batch was cancelled.
    """

    retryable: Sequence[str]
    cancelled: Sequence[str]


@dataclass(frozen=True)
class TroubleTable:
    """Which of our troubles the provider's codes and words mean, and so who must act.

    Attributes:
        by_code: The code of our message, by the provider's code.
        by_words: Searched where a problem of a whole batch has no such code.
        quota: Words for limits that pass by themselves.
        file_wide_codes: Codes of what is wrong with every row of a batch, whichever line is named:
            all rows have the same model and URL.
        file_wide_params: The places where such things stand.
    """

    by_code: Mapping[str, str]
    by_words: Sequence[tuple[re.Pattern[str], str]]
    quota: re.Pattern[str]
    file_wide_codes: frozenset[str]
    file_wide_params: frozenset[str]

    def why_failed(self, problems: Sequence[BatchProblem]) -> tuple[FailedFor, str]:
        """Why a batch failed before any row ran, and the code of the message if somebody must act.

        Rows are to blame unless every problem says otherwise.
        """
        troubles = [self._trouble_in(problem) for problem in problems]
        if troubles and all(troubles):
            return FailedFor.ACCOUNT, troubles[0] or ""
        if problems and all(map(self._is_quota, problems)):
            return FailedFor.QUOTA, ""
        return FailedFor.ROWS, ""

    def is_file_wide(self, problem: BatchProblem) -> bool:
        return problem.code in self.file_wide_codes or problem.param in self.file_wide_params

    def _trouble_in(self, problem: BatchProblem) -> str | None:
        known = self.by_code.get(problem.code)
        if known or problem.line is not None:
            return known
        text = _text_of(problem)
        return next((trouble for words, trouble in self.by_words if words.search(text)), None)

    def _is_quota(self, problem: BatchProblem) -> bool:
        is_meant = problem.line is None and self.quota.search(_text_of(problem))
        return bool(is_meant) and self._trouble_in(problem) is None


@dataclass(frozen=True)
class ProviderProfile:
    """One provider.

    Attributes:
        name: In keys, plans and records.
        terms: How people call it, its consoles and our settings of it, for the messages about it.
        limits_for: The bounds of one batch by model; for ``""``, the loosest.
        pools: Where its batches take their slots; ``pool_for`` says where a model's do.
        batch_id: How its ids look in a message. The form also makes an id safe in a key: no slash,
            no dot, no percent sign.
        model_warnings_for: What is odd about a model's name; never a reason to refuse.
        parameter_warnings_for: The same for a recipe's parameters, with the text of its prompts.
    """

    name: str
    terms: Values
    limits_for: Callable[[str], ShardLimits]
    rules: RequestRules
    quotas: ProviderQuotas
    pools: Sequence[SlotPool]
    pool_for: Callable[[str], SlotPool]
    batch_id: re.Pattern[bytes]
    troubles: TroubleTable
    row_codes: RowCodes
    model_warnings_for: Callable[[str], tuple[Problem, ...]]
    parameter_warnings_for: Callable[[Mapping[str, JsonValue], str], tuple[Problem, ...]]


def _text_of(problem: BatchProblem) -> str:
    return f"{problem.code} {problem.message}"


# The codes of the messages that say who must do what.
ACCOUNT_WITHOUT_MONEY = "account_without_money"
MODEL_NOT_OPEN = "model_not_open"
API_KEY_REFUSED = "api_key_refused"
WRONG_BASE_URL = "wrong_base_url"
FILE_STORE_FULL = "file_store_full"
PERMISSION_MISSING = "permission_missing"
