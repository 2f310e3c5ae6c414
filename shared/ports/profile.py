"""What must be known of a provider before it is called: plain data that needs no SDK."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import JsonValue

from shared.ports.output_bound import OutputBound
from shared.problems.problem import Bilingual, Problem, Values


@dataclass(frozen=True)
class ShardLimits:
    """The bounds of one batch; sizes in bytes, not characters.

    ``window_step``: Completion windows are whole multiples of it, and so are their bounds.
    """

    max_requests: int
    max_bytes: int
    max_line_bytes: int
    warn_line_bytes: int
    max_custom_id_chars: int
    min_window: timedelta
    max_window: timedelta
    window_step: timedelta

    def rounded_window(self, window: timedelta) -> timedelta:
        """The shortest window that can be had and is no shorter than this."""
        return -(-window // self.window_step) * self.window_step


# OpenAI's paths, which all providers of its form share.
CHAT = "/v1/chat/completions"
EMBEDDINGS = "/v1/embeddings"


def chat_or_embeddings(model: str) -> str:
    """The path that a model's name tells."""
    return EMBEDDINGS if "embedding" in model.lower() else CHAT


@dataclass(frozen=True)
class SlotPool:
    """A limit of unfinished batches; ``name`` is a folder under ``slots/`` and ``waiting/``."""

    name: str
    slots: int


@dataclass(frozen=True)
class LineForm:
    """How request lines are written.

    Attributes:
        is_addressed: Each names its method, its URL and, in its body, its model. Otherwise it is
            ``custom_id`` and ``body`` alone; the recipe names the model, and the batch has it.
        lists_input: The input of an embedding is a list, also of one text.
    """

    is_addressed: bool
    lists_input: bool = False


OPENAI_LINES = LineForm(is_addressed=True)


@dataclass(frozen=True)
class RequestRules:
    """What the request lines of a file must hold.

    Attributes:
        endpoints: By the recipe's word, OpenAI's path of it, which addressed lines name.
        default_endpoint_for: By model, the path of a recipe that names none.
        roles: Of the messages of a chat; a role in capitals is none.
        test_model: Goes with ``test_endpoint`` and with no other; both are empty if there is none.
        form: How the lines are written.
        other_form: Whose lines are in the other form, for messages: ``other``, and ``choose``, what
            a recipe says to send them there.
        foreign_parameters: What a recipe must say instead of another provider's parameter, by its
            name and for its value.
        example_model: For messages.
    """

    endpoints: Mapping[str, str]
    default_endpoint_for: Callable[[str], str]
    roles: Sequence[str]
    test_model: str = ""
    test_endpoint: str = ""
    form: LineForm = OPENAI_LINES
    other_form: Values = field(default_factory=dict)
    foreign_parameters: Mapping[str, Callable[[JsonValue], str]] = field(default_factory=dict)
    example_model: str = ""

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
        name: In keys, plans, records and recipes.
        needs: The settings without which it is not set up.
        terms: How people call it, its consoles and our settings of it, for the messages about it.
        limits_for: The bounds of one batch by model; for ``""``, the loosest.
        announces_ends: Whether events tell that a batch has ended. Where none do, a poll that finds
            an end is no repair.
        queries_per_minute: How often the account may ask for a batch.
        listed_for: How long a batch is in its list. What is not found later may have been created.
        pools: Where its batches take their slots; ``pool_for`` says where a model's do.
        batch_id: How its ids look in a message. The form also makes an id safe in a key: no slash,
            no dot, no percent sign.
        cancelled_words: What the error code of a row holds, in lower case, that was not run because
            its batch was cancelled.
        model_problem_for: Why a recipe cannot name this model, if so.
        model_warnings_for: What is odd about a model's name; never a reason to refuse.
        parameter_warnings_for: The same for a recipe's parameters, with the text of its prompts.
        json_parameters_for: By model, the parameters that make it answer in nothing but JSON; none
            for a model that is not known to take them.
        output_bound_for: What bounds a chat's output, by its parameters and whether its model
            thinks: ``never``, ``if_asked``, ``by_default``, ``always`` or ``unknown``.
        read_prices: The text of what its models cost, a ``prices.yaml``.
        real_time_terms: Where its service for single requests has settings of its own, what stands
            in messages about that instead of ``terms``.
    """

    name: str
    needs: Sequence[str]
    terms: Values
    limits_for: Callable[[str], ShardLimits]
    rules: RequestRules
    announces_ends: bool
    queries_per_minute: int
    listed_for: timedelta
    pools: Sequence[SlotPool]
    pool_for: Callable[[str], SlotPool]
    batch_id: re.Pattern[bytes]
    cancelled_words: Sequence[str]
    model_problem_for: Callable[[str], Problem | None]
    model_warnings_for: Callable[[str], tuple[Problem, ...]]
    parameter_warnings_for: Callable[[Mapping[str, JsonValue], str], tuple[Problem, ...]]
    json_parameters_for: Callable[[str], Mapping[str, JsonValue]]
    output_bound_for: Callable[[Mapping[str, JsonValue], str], OutputBound]
    read_prices: Callable[[], str]
    real_time_terms: Values = field(default_factory=dict)

    @property
    def called(self) -> Bilingual:
        """As people call it."""
        shown = self.terms["provider"]
        return shown if isinstance(shown, Bilingual) else Bilingual(str(shown), str(shown))
