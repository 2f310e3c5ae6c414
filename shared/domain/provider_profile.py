"""What the pipeline must know of a provider before it calls it: plain data, without any SDK."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from shared.domain.batches import BatchProblem, FailedFor
from shared.domain.limits import ProviderQuotas, ShardLimits, SlotPool
from shared.domain.problems import Problem, Values


@dataclass(frozen=True)
class RequestRules:
    """What the request lines of a file, all in OpenAI's form, must hold.

    Attributes:
        endpoints: By the word of a recipe, the URL that the lines name.
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
        """Whether one of the two is the test's and the other is not."""
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
    """Which of our troubles the provider's codes and words mean: who must act.

    Attributes:
        by_code: The code of our message, by the provider's code.
        by_words: What is looked for where a problem of a whole batch has no such code.
        quota: Words of what passes by itself.
        file_wide_codes: What is wrong with every row of a batch, whichever line is named, since all
            have the same model and URL; ``file_wide_params`` are the places where that stands.
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
        batch_id: How its ids look in a message. The form also makes an id safe as part of a key: no
            slash, no dot, no percent sign.
        model_warnings_for: What is odd about a model's name, never a reason to refuse.
        parameter_warnings_for: The same of a recipe's parameters, beside the text of its prompts.
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
