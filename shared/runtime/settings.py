"""The settings of every function, read from its environment and checked at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PositiveInt,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from shared.pipeline import deadlines
from shared.problems.exceptions import ConfigurationError
from shared.runtime.cloud_settings import CloudSettings
from shared.runtime.setting_types import Amount, HttpUrl, Region, is_own_url

# A default model is one provider's; with another provider, somebody must choose.
_PROVIDER, _MODEL = "bailian", "qwen-flash"

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
_LOG_LEVELS: Mapping[str, LogLevel] = {
    "DEBUG": "DEBUG",
    "INFO": "INFO",
    "WARNING": "WARNING",
    "ERROR": "ERROR",
}


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


UpperCase = BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value)


@dataclass(frozen=True)
class Variable:
    """One environment variable, as functions/README.md shows it.

    ``default`` is ``None`` if there is none.
    """

    name: str
    default: str | None
    is_required: bool
    meaning: str


class Settings(CloudSettings):
    """Each field is the environment variable of that name in capitals. Empty counts as unset."""

    callback_secret: SecretStr | None = Field(
        None, min_length=16, description="Signs callback URLs; 16 characters at least."
    )
    callback_base_url: HttpUrl | None = Field(
        None, description="The callback function's public URL; without it the timer polls."
    )
    oss_public_endpoint: HttpUrl | None = Field(
        None, description="The endpoint that browsers reach; the page signs uploads and downloads for it."
    )
    page_secret: SecretStr | None = Field(
        None, min_length=32, description="Signs links to the page; without it, the page lets nobody in."
    )
    page_open: Literal["local"] | None = Field(
        None, description="Only for the local cloud: `local` lets everybody in, as operator."
    )
    answered_by: str | None = Field(
        None,
        description="Only for the local cloud: `test` for made-up answers, `test:ark` for one provider's, `server:NAME` for a server of yours; the page says so.",
    )
    dead_letter_queue: str | None = Field(
        None, description="The queue of events that were given up; the page tells operators to look there."
    )
    eventbridge_token: SecretStr | None = Field(
        None, min_length=16, description="Lets EventBridge post events to `/events` of the callback's URL."
    )
    eventbridge_region: Region = Field(
        "cn-beijing", description="The region of the EventBridge that does; it names who signs."
    )
    page_url: HttpUrl | None = Field(None, description="Where people see the page; words lead there.")
    notify_channels: SecretStr | None = Field(
        None, description="The channels for words to people, by kind and name, as JSON."
    )
    default_provider: str = Field(_PROVIDER, description="The provider where a recipe names none.")
    providers: str = Field(
        "bailian",
        description="Which providers recipes may choose, with commas; for a function without their keys.",
    )
    default_model: str = Field(
        _MODEL,
        validate_default=True,
        description="The model of files without a recipe; to be set if DEFAULT_PROVIDER is not bailian.",
    )
    month_budget: Amount | None = Field(
        None,
        description="What all files together may cost in a month, such as `500 CNY`, beside `budget.yaml`: the lower of both holds.",
    )
    claim_lease_s: PositiveInt = Field(
        _seconds(deadlines.CLAIM_LEASE),
        description="Seconds after which an unfinished submit may be taken over.",
    )
    ready_overdue_s: PositiveInt = Field(
        _seconds(deadlines.READY_OVERDUE),
        description="Seconds after which the timer moves a ready/ ticket on.",
    )
    poll_after_s: PositiveInt = Field(
        _seconds(deadlines.POLL_AFTER), description="Seconds between the timer's looks at a running batch."
    )
    finished_overdue_s: PositiveInt = Field(
        _seconds(deadlines.FINISHED_OVERDUE),
        description="Seconds after which the timer collects a finished/ ticket.",
    )
    results_late_s: PositiveInt = Field(
        _seconds(deadlines.RESULTS_LATE),
        description="Seconds for which missing results of a completed batch are waited for.",
    )
    inbox_sweep_after_s: PositiveInt = Field(
        _seconds(deadlines.INBOX_SWEEP_AFTER),
        description="Seconds after which the timer validates a file left in inbox/.",
    )
    files_sweep_s: PositiveInt = Field(
        _seconds(deadlines.FILES_SWEEP),
        description="Seconds between the timer's looks for files that were left at the provider.",
    )
    log_level: Annotated[LogLevel, UpperCase] = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @field_validator("default_model")
    @classmethod
    def _is_of_the_default_provider(cls, model: str, given: ValidationInfo) -> str:
        if model == _MODEL and given.data.get("default_provider", _PROVIDER) != _PROVIDER:
            message = f"must be set to a model of DEFAULT_PROVIDER: {_MODEL} is one of {_PROVIDER}"
            raise ValueError(message)
        return model

    @field_validator("page_open")
    @classmethod
    def _is_on_this_machine(cls, value: str | None, given: ValidationInfo) -> str | None:
        if value and not is_own_url(str(given.data.get("oss_endpoint", ""))):
            message = "is only for the local cloud, and OSS_ENDPOINT is not on this machine"
            raise ValueError(message)
        return value

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read and check every variable.

        Raises:
            ConfigurationError: Some are missing or bad; names them all, and never shows a value.
        """
        given = {name: env.get(name.upper(), "").strip() for name in cls.model_fields}
        try:
            return cls.model_validate({name: text for name, text in given.items() if text})
        except ValidationError as error:
            raise ConfigurationError(_complaint(error)) from None  # the cause could show a value

    @classmethod
    def variables(cls) -> tuple[Variable, ...]:
        """Every variable in order, for functions/README.md and the template's check."""
        return tuple(
            Variable(
                name=name.upper(),
                default=None if field.is_required() or field.default is None else str(field.default),
                is_required=field.is_required(),
                meaning=field.description or "",
            )
            for name, field in cls.model_fields.items()
        )

    def require_callback_secret(self) -> SecretStr:
        """For the functions that sign or check callback URLs.

        Raises:
            ConfigurationError: CALLBACK_SECRET is not set.
        """
        if self.callback_secret is None:
            message = "environment: CALLBACK_SECRET is missing, and this function needs it"
            raise ConfigurationError(message)
        return self.callback_secret


def current_settings() -> Settings:
    """The settings of this process; an instance's environment does not change.

    Raises:
        ConfigurationError: See ``Settings.from_env``.
    """
    return Settings.from_env(os.environ)


def log_level_from(env: Mapping[str, str]) -> LogLevel:
    """The log level even where other settings are bad, so that the log can say so."""
    return _LOG_LEVELS.get(env.get("LOG_LEVEL", "").strip().upper(), "INFO")


def _complaint(error: ValidationError) -> str:
    findings = []
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        name = str(detail["loc"][0]).upper()
        reason = "is missing" if detail["type"] == "missing" else detail["msg"].removeprefix("Value error, ")
        findings.append(f"{name} {reason[:1].lower()}{reason[1:]}")
    return "environment: " + "; ".join(findings)
