"""The table of commands: each is loaded when it is called, since some take a second to load."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

import click

from scripts.operate.door.parameters import shared_options

_HELP = """\
Drop a table in a bucket, get the same table back with answers.

The bucket is that of the environment variables BUCKET_NAME, OSS_ENDPOINT, OSS_REGION,
ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or that of the local cloud that
runs from this checkout.

Exit status: 0 done, or nothing to do; 1 not possible; 2 wrong usage; 3 ended with rows that have no
answer; 130 interrupted; 141 nobody reads what it says (as in "| head -1")."""


class Place(NamedTuple):
    """Where a command is, below ``scripts``, and what it does in a few words."""

    module: str
    attribute: str
    zh: str
    en: str


COMMANDS = {
    "run": Place("operate.commands.run", "run", "处理一个表格", "answer a table and show the result"),
    "demo": Place("operate.commands.demo", "demo", "用示例演示一遍", "show it with the examples"),
    "cloud": Place("operate.commands.cloud", "cloud", "启动本地云", "Batchdrop on this machine"),
    "init": Place("operate.commands.recipes", "init", "为表格写配方", "write a recipe for a table"),
    "recipe": Place("operate.commands.recipes", "recipe", "检查表格和配方", "check a table and its recipe"),
    "preview": Place("operate.commands.preview", "preview", "试答几行", "have a few rows answered at once"),
    "status": Place("operate.commands.jobs", "status", "查看未完成的任务", "what is open"),
    "cancel": Place("operate.commands.jobs", "cancel", "取消任务", "send nothing more of a job"),
    "retry": Place("operate.commands.jobs", "retry", "重发未回答的行", "send unanswered rows again"),
    "approve": Place(
        "operate.commands.jobs", "approve", "批准报价，让任务发送", "approve a quote, so that its job is sent"
    ),
    "erase": Place("operate.commands.jobs", "erase", "抹除任务的数据", "delete a closed job's data"),
    "bill": Place("operate.commands.bill", "bill", "一个月的用量和费用", "what a month used and cost"),
    "link": Place("operate.commands.links", "link", "页面的链接", "a link to the page for a folder"),
    "deploy": Place("operate.commands.deploys", "deploy", "部署到阿里云", "everything on Alibaba Cloud"),
    "upgrade": Place("operate.commands.deploys", "upgrade", "升级", "this version on Alibaba Cloud"),
    "rollback": Place("operate.commands.deploys", "rollback", "退回上一个版本", "the version before"),
    "doctor": Place("operate.commands.deploys", "doctor", "检查能否部署", "what is missing for a deployment"),
    "destroy": Place("operate.commands.deploys", "destroy", "删除部署", "delete the deployment"),
    "completion": Place("operate.commands.completion", "completion", "命令补全", "complete in the shell"),
}


class LazyGroup(click.Group):
    """Knows its commands by the table.

    https://click.palletsprojects.com/en/stable/complex/#lazily-loading-subcommands
    """

    def list_commands(self, _: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        place = COMMANDS.get(name)
        if place is None:
            return None
        found: click.Command = getattr(import_module(f"scripts.{place.module}"), place.attribute)
        return found

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("命令 Commands"):
            formatter.write_dl([(name, f"{place.zh} · {place.en}") for name, place in COMMANDS.items()])


batchdrop = LazyGroup("batchdrop", help=_HELP, params=shared_options())
