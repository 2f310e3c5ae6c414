"""The command about links to the page."""

from __future__ import annotations

from datetime import timedelta

import click

from scripts.operate.door.parameters import Door, command
from scripts.operate.links.links import Links
from scripts.operate.texts.said import said
from shared.runtime.system_clock import SystemClock


@command(
    "link",
    "Make a link to the page for FOLDER of the inbox; whoever has it drops files and sees results there.",
)
@click.argument("folder", required=False)
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    default=30,
    show_default=True,
    metavar="N",
    help="How long it opens.",
)
@click.option("--operator", is_flag=True, help="For the operator: all folders, what waits for whom, repairs.")
@click.option("--withdraw", metavar="LINK", help="Instead, let nobody in any more with this link, or its id.")
def link(door: Door, folder: str | None, days: int, withdraw: str | None, *, operator: bool) -> None:
    if sum(map(bool, (folder, withdraw, operator))) != 1:
        raise click.UsageError(
            "请指定一个文件夹、--operator 或 --withdraw 之一 / give one of a folder, --operator and --withdraw"
        )
    links = Links(door.open_bucket(), SystemClock())
    if withdraw:
        link_id = links.withdraw(withdraw)
        # Made links are noted nowhere, so that an id may be anybody's or nobody's.
        door.reply.tell(said("id_withdrawn" if withdraw == link_id else "link_withdrawn", id=link_id))
        door.reply.show(id=link_id)
        return
    made = links.make(folder or "", timedelta(days=days), is_operator=operator)
    opens = f"inbox/{made.link.folder}"
    until = made.link.expires_at.astimezone().strftime("%Y-%m-%d %H:%M %Z")
    door.reply.tell(made.url)
    door.reply.tell(said("link_made", folder=opens, until=until, id=made.link.id))
    if not operator and not links.has_files(made.link.folder):
        door.reply.tell(said("link_to_nothing", folder=opens))
    door.reply.show(url=made.url, id=made.link.id, folder=opens, expires_at=made.link.expires_at.isoformat())
