"""What commands share: ``--data``, ``--json``, paths, and the bucket that is meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scripts.operate.door.reply import Reply
from scripts.terminal import typed_path

if TYPE_CHECKING:
    from scripts.operate.access import OpenBucket


@dataclass
class Door:
    """One call of the program."""

    env: Mapping[str, str]
    reply: Reply
    data: Path | None = None
    if_interrupted: str = ""
    """The code of what to say if the command that is called does not come to its end."""

    def open_bucket(self) -> OpenBucket:
        """The bucket that is meant; raises ``Refusal``."""
        from scripts.operate.access import open_bucket  # noqa: PLC0415 - not for every command

        return open_bucket(self.env, self.data)


pass_door = click.make_pass_decorator(Door)


class TypedPath(click.ParamType[Path, Path | str]):
    """A path as somebody typed it, wherever the program was started."""

    name = "path"

    def convert(self, value: Any, _: click.Parameter | None, __: click.Context | None) -> Path:
        return value if isinstance(value, Path) else typed_path(value)

    def shell_complete(self, *_: object) -> list[click.shell_completion.CompletionItem[str]]:
        return [click.shell_completion.CompletionItem("", type="file")]


RECIPE = click.option(
    "--recipe", type=TypedPath(), metavar="YAML", help="Instead of the batch.yaml beside the table."
)


def _choose_data(context: click.Context, _: click.Parameter, value: Path | None) -> None:
    if value is not None:  # given after the command or before it
        context.ensure_object(Door).data = value


def shared_options() -> list[click.Parameter]:
    """Before the command and after it they mean the same."""
    return [
        click.Option(
            ["--data"],
            type=TypedPath(),
            metavar="DIR",
            expose_value=False,
            callback=_choose_data,
            help="Folder of the local cloud, or local account, to use.",
        ),
        # Whether it was given is known before anything is parsed: mistakes are told as JSON, too.
        click.Option(
            ["--json"], is_flag=True, expose_value=False, help="One JSON object a line, for programs."
        ),
    ]


def command(
    name: str, help_text: str, *, goes_on: bool = False
) -> Callable[[Callable[..., int | None]], click.Command]:
    """A command that is handed the ``Door`` and returns its exit status, ``None`` for 0.

    ``goes_on``: it may be repeated, goes on then, and pays nothing twice.
    """

    def made(function: Callable[..., int | None]) -> click.Command:
        @wraps(function)
        def called(door: Door, **given: Any) -> int | None:
            door.if_interrupted = "goes_on" if goes_on else ""
            return function(door, **given)

        made = click.command(name, help=help_text)(pass_door(called))
        made.params += shared_options()
        return made

    return made
