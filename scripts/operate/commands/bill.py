"""The command that adds up what jobs used and cost."""

from __future__ import annotations

from datetime import datetime

import click

from scripts.operate.bills.bill import Bill
from scripts.operate.bills.show import as_csv, as_facts, as_table, is_rounded
from scripts.operate.door.parameters import Door, command
from scripts.operate.texts.said import said
from shared.money.months import month_of
from shared.runtime.system_clock import SystemClock


@command("bill", "What the jobs that ended in a month used and cost, by folder and model.")
@click.option(
    "--month",
    type=click.DateTime(["%Y-%m"]),
    metavar="YYYY-MM",
    help="In Beijing time, as the clouds' bills; without it, this month.",
)
@click.option("--csv", "is_csv", is_flag=True, help="As a CSV table, with every millionth.")
def bill(door: Door, month: datetime | None, *, is_csv: bool) -> None:
    wanted = f"{month:%Y-%m}" if month else month_of(SystemClock().now())
    bucket = door.open_bucket()
    found = Bill(bucket.store)(wanted)
    door.reply.show(**as_facts(found))
    if is_csv:
        door.reply.tell(as_csv(found))
        return
    if found.lines:
        door.reply.tell(said("bill_of", month=found.month))
        door.reply.tell(as_table(found))
        if is_rounded(found):
            door.reply.tell(said("bill_rounded"))
        if not any(bucket.is_charged(line.provider) for line in found.lines):
            door.reply.tell(said("bill_local"))
    else:
        door.reply.tell(said("bill_of_nothing", month=found.month))
    if models := found.models_without_price:
        door.reply.tell(said("bill_without_price", models=", ".join(models)))
    if found.open_jobs:
        door.reply.tell(said("bill_open", jobs=found.open_jobs))
