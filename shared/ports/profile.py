"""What must be known of a provider before it is called: plain data that needs no SDK."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pydantic import JsonValue

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
        roles: Of the messages of a chat; a role in capitals is none.
        test_model: Goes with ``test_endpoint`` and with no other; both are empty if there is none.
    """

    endpoints: Mapping[str, str]
    default_endpoint_for: Callable[[str], str]
    roles: Sequence[str]
    test_model: str = ""
    test_endpoint: str = ""

    @property
    def urls(self) -> frozenset[str]:
        return frozenset(self.endpoints.values())

    def are_mismatched(self, model: str, url: str) -> bool:
        """Whether only one of the two is the test's."""
        return (model == self.test_model) != (url == self.test_endpoint)


@dataclass(frozen=True)
class ProviderProfile:
    """One provider.

    Attributes:
        name: In keys, plans and records.
        terms: How people call it, its consoles and our settings of it, for the messages about it.
        limits_for: The bounds of one batch by model; for ``""``, the loosest.
        queries_per_minute: How often the account may ask for a batch.
        listed_for: How long a batch is in its list. What is not found later may have been created.
        pools: Where its batches take their slots; ``pool_for`` says where a model's do.
        batch_id: How its ids look in a message. The form also makes an id safe in a key: no slash,
            no dot, no percent sign.
        cancelled_words: What the error code of a row holds, in lower case, that was not run because
            its batch was cancelled.
        model_warnings_for: What is odd about a model's name; never a reason to refuse.
        parameter_warnings_for: The same for a recipe's parameters, with the text of its prompts.
        json_parameters_for: By model, the parameters that make it answer in nothing but JSON; none
            for a model that is not known to take them.
    """

    name: str
    terms: Values
    limits_for: Callable[[str], ShardLimits]
    rules: RequestRules
    queries_per_minute: int
    listed_for: timedelta
    pools: Sequence[SlotPool]
    pool_for: Callable[[str], SlotPool]
    batch_id: re.Pattern[bytes]
    cancelled_words: Sequence[str]
    model_warnings_for: Callable[[str], tuple[Problem, ...]]
    parameter_warnings_for: Callable[[Mapping[str, JsonValue], str], tuple[Problem, ...]]
    json_parameters_for: Callable[[str], Mapping[str, JsonValue]]
