"""The recipe, ``batch.yaml``: what to ask about each row of the tables in its folder."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationInfo
from pydantic_core import PydanticCustomError

from shared.bucket.money import Money
from shared.formats.charsets.names import NAMES, name_of
from shared.money.amounts import parse_money
from shared.ports.channel import channels_in
from shared.ports.profile import RequestRules
from shared.recipes.model_names import is_model_name
from shared.recipes.parameters import allowed_parameters
from shared.recipes.tasks.task import TASKS, Classify, Embed, Extract, Task, Translate
from shared.recipes.tasks.texts import Text

# The rule of the bucket that deletes lent answers comes a day later.
LONGEST_REUSE = timedelta(days=90)
# Long after it, what is not approved could still be sent in time: see ``SEND_WITHIN``.
SHORTEST_APPROVAL, LONGEST_APPROVAL = timedelta(hours=1), timedelta(days=90)
MOST_SAMPLED = 100
_WINDOW = re.compile(r"([1-9][0-9]{0,3})([hd])", re.ASCII)


def _window(value: object) -> object:
    match = _WINDOW.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    return timedelta(**{{"h": "hours", "d": "days"}[match[2]]: int(match[1])})


def _encoding(value: object) -> object:
    if not isinstance(value, str | int) or isinstance(value, bool):
        return value
    name = name_of(str(value))
    if name is None:
        raise PydanticCustomError("recipe_choice", "no encoding", {"choices": ", ".join(NAMES)})
    return name


def _reuse(value: object) -> object:
    within = _window(value)
    if value is None or (isinstance(within, timedelta) and within <= LONGEST_REUSE):
        return within
    raise PydanticCustomError("recipe_reuse", "no such time", {"most": LONGEST_REUSE.days})


def _endpoint(value: object, info: ValidationInfo) -> object:
    """The URL for the provider's word or URL; ``info.context`` are the provider's rules."""
    if not isinstance(info.context, RequestRules):
        return value
    url = info.context.endpoints.get(value, value) if isinstance(value, str) else ""
    if url not in info.context.urls:
        choices = ", ".join(info.context.endpoints)
        raise PydanticCustomError("recipe_choice", "no endpoint", {"choices": choices})
    return url


def _delimiter(value: object) -> object:
    return "\t" if value == "tab" else value


def _names(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _channels(value: object) -> object:
    channels = channels_in(value)
    if channels is None:
        raise PydanticCustomError("recipe_notify", "no channels")
    return channels


def _amount(value: object) -> object:
    amount = parse_money(value) if isinstance(value, str) else None
    if amount is None and value is not None:
        raise PydanticCustomError("not_an_amount", "no amount of money")
    return amount


_ABOVE = re.compile(r"above\s+(.+)", re.I)
_APPROVE = "always, above 50 CNY"


def _approve(value: object) -> object:
    """``always``, or the amount of ``above 50 CNY``."""
    if value is None or value == "always":
        return value
    match = _ABOVE.fullmatch(value.strip()) if isinstance(value, str) else None
    amount = parse_money(match[1]) if match else None
    if amount is None:
        raise PydanticCustomError("recipe_choice", "no terms", {"choices": _APPROVE})
    return amount


def _approve_within(value: object) -> object:
    span = _window(value)
    if isinstance(span, timedelta) and SHORTEST_APPROVAL <= span <= LONGEST_APPROVAL:
        return span
    raise PydanticCustomError("recipe_choice", "no span", {"choices": "1h … 90d"})


def _sample(value: object) -> object:
    rows = _whole_number(value)
    is_number = isinstance(rows, int) and not isinstance(rows, bool)
    if rows is None or (is_number and 1 <= rows <= MOST_SAMPLED):  # type: ignore[operator]
        return rows
    raise PydanticCustomError("recipe_sample", "no number of rows", {"found": str(value)})


def _header_row(value: object) -> object:
    value = _whole_number(value)
    is_line = isinstance(value, int) and not isinstance(value, bool) and value > 0
    if is_line or value in ("auto", None):
        return value
    raise PydanticCustomError("recipe_choice", "no line", {"choices": "1, 2, 3 …, auto"})


def _whole_number(value: object) -> object:
    """The number that is meant by one in quotes, or by ``3.0``."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _truth(value: object) -> object:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _model_name(name: str) -> str:
    if not is_model_name(name):
        raise PydanticCustomError("not_a_model_name", "no name")
    return name


class Output(BaseModel):
    """How the result is written.

    ``encoding`` and ``formula_guard`` are for CSV; the others are UTF-8, and raw.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal["csv", "jsonl", "parquet", "xlsx"] = "csv"
    encoding: Literal["utf-8-sig", "utf-8", "gb18030"] = "utf-8-sig"
    formula_guard: Annotated[bool, BeforeValidator(_truth)] = True


class PriceTerms(BaseModel):
    """What a job may cost.

    ``at_most`` is the job's ceiling. ``approve``: the job waits for an approval, always, or unless
    it is certain that it costs no more than that; for so long. ``sample`` is how many rows are
    asked in real time first, and ``expect`` the file's column that holds the right answers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    at_most: Annotated[Money | None, BeforeValidator(_amount)] = None
    approve: Annotated[Money | Literal["always"] | None, BeforeValidator(_approve)] = None
    approve_within: Annotated[timedelta, BeforeValidator(_approve_within)] = timedelta(days=7)
    sample: Annotated[int | None, BeforeValidator(_sample)] = None
    expect: Text | None = None


class UntilFits(BaseModel):
    """A row whose answer does not fit or was cut off is asked again, ``times`` times at most."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    times: Annotated[int, Field(ge=1, le=5), BeforeValidator(_whole_number)] = 2


class Recipe(BaseModel):
    """A recipe whose values are all allowed; only a file shows whether its columns exist.

    ``provider`` is read first and elsewhere; ``on_empty`` is ``None`` where it depends on how many
    cells are empty; ``endpoint`` is the URL of the requests, which ``parse_recipe`` fills in;
    ``encoding`` and ``delimiter`` are ``None`` where they are detected, ``sheet`` and
    ``header_row`` for the first one; ``parameters`` hold the ``response_format`` that ``columns``
    ask for; ``notify`` holds channels as ``kind:name``, and is ``None`` where the folder decides. A
    ``reuse`` is how old an answer may be that an earlier job of the folder was given; a
    recipe has a ``prompt`` or a task; of a task, ``parse_recipe`` makes the prompt and
    the columns.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    provider: Text | None = None
    model: Annotated[Text, AfterValidator(_model_name)]
    prompt: Text = ""
    classify: Classify | None = None
    extract: Extract | None = None
    translate: Translate | None = None
    embed: Embed | None = None
    system: Text | None = None
    parameters: Annotated[dict[str, JsonValue], AfterValidator(allowed_parameters)] = Field(
        default_factory=dict
    )
    endpoint: Annotated[str, BeforeValidator(_endpoint)] = ""
    completion_window: Annotated[timedelta, BeforeValidator(_window)] = timedelta(hours=24)
    on_bad_rows: Literal["refuse", "skip"] = "refuse"
    on_empty: Literal["skip", "send", "refuse"] | None = None
    dedupe: Annotated[bool, BeforeValidator(_truth)] = True
    reuse: Annotated[timedelta | None, BeforeValidator(_reuse)] = None
    attempts: Annotated[int, Field(ge=1, le=5), BeforeValidator(_whole_number)] = 2
    until_fits: UntilFits | None = None
    encoding: Annotated[str | None, BeforeValidator(_encoding)] = None
    delimiter: Annotated[Literal[",", ";", "\t", "|"] | None, BeforeValidator(_delimiter)] = None
    header_row: Annotated[int | Literal["auto"] | None, BeforeValidator(_header_row)] = None
    sheet: Text | None = None
    fill_down: Annotated[list[Text], BeforeValidator(_names)] = Field(default_factory=list)
    output: Output = Output()
    columns: dict[str, JsonValue] = Field(default_factory=dict)
    notify: Annotated[list[str] | None, BeforeValidator(_channels)] = None
    price: PriceTerms = PriceTerms()

    @property
    def task(self) -> Task | None:
        return self.classify or self.extract or self.translate or self.embed

    @property
    def asks_once(self) -> bool:
        """Whether rows that ask the same may share an answer, as those who want several do not."""
        return self.dedupe and self.parameters.get("n") in (None, 1)

    @property
    def asked_in(self) -> str:
        """Where the recipe names the columns that the model reads, for reports."""
        named = (name for name in TASKS if getattr(self, name) is not None)
        return next((f"{name}.column" for name in named), "prompt")

    @property
    def thinking(self) -> bool | None:
        """The thinking mode asked for; ``None`` leaves it to the model."""
        value = self.parameters.get("enable_thinking")
        return value if isinstance(value, bool) else None
