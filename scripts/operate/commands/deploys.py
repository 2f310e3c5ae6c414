"""The commands that deploy; the first of them installs the vendor's SDK that they need."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

import click

from scripts.deploy.place import place_for
from scripts.operate.door.packages import install_once, is_for_development
from scripts.operate.door.parameters import Door, command
from scripts.operate.texts.said import Refusal

_Command = TypeVar("_Command", bound=Callable[..., Any])

_region = click.option("--region", default="cn-beijing", show_default=True, help="Region of the stack.")
_stack = click.option(
    "--stack", default="batchdrop", show_default=True, metavar="NAME", help="Name of the stack."
)
_bucket = click.option("--bucket", required=True, metavar="NAME", help="The bucket to drop files into.")
_code_bucket = click.option(
    "--code-bucket",
    metavar="NAME",
    help="Where the functions' zips go; made if need be. [default: NAME-code]",
)
_parameters = click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of template.yaml, such as DefaultModel=qwen-plus; NAME=@FILE takes what the file "
    "holds, which suits secrets. May be repeated.",
)
_patience = click.option(
    "--patience",
    type=float,
    # The test model's batches take a minute or two; Bailian promises no time.
    default=900.0,
    show_default=True,
    metavar="S",
    help="Seconds within which the smoke test must be answered.",
)
_yes = click.option("--yes", is_flag=True, help="Do not ask.")


def _with(*options: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    def made(function: _Command) -> _Command:
        for option in reversed(options):
            function = option(function)
        return function

    return made


def _commands(door: Door) -> ModuleType:
    """Only once it is clear where is deployed to: installing takes a minute."""
    if not is_for_development():
        try:
            install_once("deploy.lock", door.reply, "installing_sdk")
        except subprocess.SubprocessError as error:
            raise Refusal("sdk_not_installed", reason=error) from None
    from scripts.deploy import commands  # noqa: PLC0415 - only now it can be

    return commands


@command("doctor", "Look for what would stop a deployment: rights and services, one by one.")
@_with(_bucket, _code_bucket, _parameters, _region)
def doctor(door: Door, region: str, **given: Any) -> int | None:
    place = place_for(door.env, door.data, region)
    return _commands(door).doctor(door, place, **given)  # type: ignore[no-any-return]


@command("deploy", "Make everything on Alibaba Cloud, from nothing to the inbox.")
@_with(_bucket, _code_bucket, _parameters, _patience, _region, _stack)
def deploy(door: Door, region: str, **given: Any) -> int | None:
    place = place_for(door.env, door.data, region)
    return _commands(door).deploy(door, place, **given)  # type: ignore[no-any-return]


@command("upgrade", "Show what this version changes, change it, and go back if it does not answer.")
@_with(_parameters, _patience, _yes, _region, _stack)
def upgrade(door: Door, region: str, **given: Any) -> int | None:
    place = place_for(door.env, door.data, region)
    return _commands(door).upgrade(door, place, **given)  # type: ignore[no-any-return]


@command("rollback", "Go back to the release before this one, and see that it answers.")
@_with(_patience, _yes, _region, _stack)
def rollback(door: Door, region: str, **given: Any) -> int | None:
    place = place_for(door.env, door.data, region)
    return _commands(door).rollback(door, place, **given)  # type: ignore[no-any-return]


@command("destroy", "Delete the stack; the bucket stays, unless it is named.")
@click.option("--erase-bucket", metavar="BUCKET", help="Delete this bucket, too, with all that is in it.")
@_with(_yes, _region, _stack)
def destroy(door: Door, region: str, **given: Any) -> int | None:
    place = place_for(door.env, door.data, region)
    return _commands(door).destroy(door, place, **given)  # type: ignore[no-any-return]
