"""The local cloud's command line: its options, its start, its end on Ctrl-C."""

from __future__ import annotations

import math
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from queue import Empty, SimpleQueue
from types import SimpleNamespace
from typing import Any

import click

from scripts.localcloud.announce import announced
from scripts.localcloud.answerer_warnings import answerer_warnings
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.data_lock import LOOK_S, DataDirGone, DataDirUnusable
from scripts.localcloud.local_server import PortTaken
from scripts.localcloud.options import BAILIAN_URL, PROVIDERS, REGION, REPOSITORY, CloudOptions
from scripts.localcloud.storage.refusals import Refusal
from scripts.template.ros import TemplateError
from scripts.terminal import say, shown

PROGRAM = "python -m scripts.localcloud"
EXAMPLE_RECIPE = REPOSITORY / "examples" / "batch.yaml.example"

MAX_PORT = 65535


PARAMETERS: tuple[click.Option, ...] = (
    click.Option(
        ["--bucket"], default="batchdrop", metavar="NAME", show_default=True, help="The bucket's name."
    ),
    click.Option(
        ["--real"],
        type=click.Choice(["bailian"]),
        help="Send to the real service, at its price, instead of the one on this machine; with DASHSCOPE_API_KEY.",
    ),
    click.Option(
        ["--providers"],
        default="bailian",
        metavar="NAMES",
        show_default=True,
        help="That recipes may name: bailian, ark, tione, or several with commas; the first is for recipes that name"
        " none.",
    ),
    click.Option(["--base-url"], default=BAILIAN_URL, show_default=True, help="Of the real Bailian."),
    click.Option(
        ["--upstream"], metavar="URL", help="An OpenAI-compatible server (…/v1) that answers each request."
    ),
    click.Option(
        ["--upstream-model"],
        metavar="NAME",
        help="The model to ask of it, instead of each request's own.",
    ),
    click.Option(
        ["--concurrency"], type=int, default=2, metavar="N", show_default=True, help="Requests at once to it."
    ),
    click.Option(
        ["--batch-delay"], type=float, default=0.0, metavar="S", help="Seconds a local batch takes at least."
    ),
    click.Option(
        ["--port"], type=int, default=0, metavar="PORT", help="Of the local OSS (default: a free one)."
    ),
    click.Option(
        ["--web-port"], type=int, default=0, metavar="PORT", help="Of the page (default: a free one)."
    ),
    click.Option(
        ["--parameter"],
        multiple=True,
        metavar="NAME=VALUE",
        help="Set a parameter of template.yaml, such as DefaultModel=qwen-plus; may be repeated.",
    ),
)
_DATA = click.Option(
    ["--data"], type=Path, required=True, metavar="DIR", help="Where the bucket is; made if need be."
)


class CannotStart(Exception):
    """It does not start, or its folder is gone; the text says why, in both languages."""


def cloud_options(chosen: Mapping[str, Any], data_dir: Path, env: Mapping[str, str]) -> CloudOptions:
    """What ``PARAMETERS`` were given; raises ``click.UsageError``, which says what is wrong."""
    api_key = env.get("DASHSCOPE_API_KEY", "").strip()
    given = SimpleNamespace(**chosen)
    for mistake in (*_wrong_providers(given), *_wrong_answerer(given, api_key), *_wrong_values(given)):
        raise click.UsageError(mistake)
    return CloudOptions(
        data_dir=data_dir.expanduser().resolve(),
        bucket=given.bucket,
        real=given.real,
        providers=tuple(given.providers.split(",")),
        api_key=api_key if given.real else None,
        base_url=given.base_url.rstrip("/"),
        upstream=given.upstream,
        upstream_api_key=env.get("UPSTREAM_API_KEY"),
        upstream_model=given.upstream_model,
        concurrency=given.concurrency,
        batch_delay_s=given.batch_delay,
        oss_port=given.port,
        gateway_port=given.web_port,
        parameters=dict(text.split("=", 1) for text in given.parameter),
    )


def parse_options(arguments: Sequence[str], env: Mapping[str, str]) -> CloudOptions:
    """Read the command line; a mistake ends the program with a sentence that says what is wrong."""
    program = click.Command(
        PROGRAM,
        params=[_DATA, *PARAMETERS],
        help="Run Batchdrop on this machine. Drop files into DIR/BUCKET/inbox, find answers in DIR/BUCKET/results.",
    )
    try:
        chosen = program.make_context(PROGRAM, list(arguments)).params
        return cloud_options(chosen, chosen["data"], env)
    except click.UsageError as mistake:
        usage = mistake.ctx.get_usage() if mistake.ctx else f"Usage: {PROGRAM} --data DIR"
        say(f"{usage}\n{mistake.format_message()}", sys.stderr)
        sys.exit(2)
    except click.exceptions.Exit as end:  # after --help
        sys.exit(end.exit_code)


def _wrong_providers(chosen: SimpleNamespace) -> Iterator[str]:
    names = chosen.providers.split(",")
    if len({*names}) < len(names) or not {*names} <= {*PROVIDERS}:
        yield (
            "--providers 应为 bailian、ark、tione，多个用逗号分隔 / "
            f"--providers takes bailian, ark and tione, with commas between them, not {chosen.providers!r}"
        )
    elif chosen.real and names != ["bailian"]:
        # Answers that are made up would lie beside answers that are paid for.
        yield (
            "--real bailian 使用真实的百炼，而方舟和 TI-ONE 只有本地的，请去掉 --real 或 --providers / "
            "--real bailian is the real Bailian, and Ark and TI-ONE are on this machine only; leave "
            "--real or --providers out"
        )


def _wrong_answerer(chosen: SimpleNamespace, api_key: str) -> Iterator[str]:
    if chosen.real and not api_key:
        yield (
            "请在环境变量 DASHSCOPE_API_KEY 中设置 API Key / "
            "--real bailian needs your API key in the environment variable DASHSCOPE_API_KEY"
        )
    if chosen.real and chosen.upstream:
        yield (
            "--upstream 不能与 --real bailian 一起使用，请去掉其中一个 / "
            "--upstream is for the local provider, not for --real bailian; leave one of them out"
        )
    if chosen.upstream_model and not chosen.upstream:
        yield (
            "--upstream-model 需要与 --upstream 一起使用 / "
            "--upstream-model needs the server's URL in --upstream"
        )
    if chosen.upstream and not chosen.upstream.startswith(("http://", "https://")):
        yield (
            "--upstream 应为网址，例如 http://127.0.0.1:11434/v1 / "
            f"--upstream takes a URL such as http://127.0.0.1:11434/v1, not {chosen.upstream!r}"
        )


def _wrong_values(chosen: SimpleNamespace) -> Iterator[str]:
    for port in (chosen.port, chosen.web_port):
        if not 0 <= port <= MAX_PORT:
            yield f"端口应为 0 到 {MAX_PORT} / a port is a number from 0 to {MAX_PORT}, not {port}"
    if not 0 <= chosen.batch_delay < math.inf:
        yield (
            "--batch-delay 应为 0 或更大的秒数 / "
            f"--batch-delay takes seconds from 0 on, not {chosen.batch_delay}"
        )
    if chosen.concurrency < 1:
        yield f"--concurrency 至少为 1 / --concurrency is at least 1, not {chosen.concurrency}"
    for text in chosen.parameter:
        if "=" not in text:
            yield f"--parameter 应写成 名称=值 / --parameter takes NAME=VALUE, not {text!r}"


def main(arguments: Sequence[str], env: Mapping[str, str]) -> None:
    try:
        run_cloud(parse_options(arguments, env))
    except CannotStart as error:
        raise SystemExit(shown(f"{PROGRAM}: {error}")) from None


def run_cloud(options: CloudOptions, on_start: Callable[[LocalCloud], None] | None = None) -> None:
    """Run it until a signal ends it; ``on_start`` hears of it instead of the person.

    Raises:
        CannotStart: Or it could not go on.
    """
    # Not an Event: a signal may interrupt its wait while that holds its lock, and wait for ever.
    # Only this put may come in the middle of anything:
    # https://docs.python.org/3/library/queue.html#queue.SimpleQueue.put
    signals: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: signals.put(number))
    try:
        cloud = LocalCloud(options).start()
    except (DataDirUnusable, PortTaken, TemplateError, Refusal, OSError) as error:
        raise CannotStart(_told(error, options)) from None
    try:
        _run(cloud, signals, on_start or _welcome)
    except DataDirGone as gone:
        raise CannotStart(str(gone)) from None


def _told(error: Exception, options: CloudOptions) -> str:
    """Why it does not start, and what to do, in both languages."""
    if isinstance(error, Refusal):
        return (
            f"--bucket {options.bucket!r} 不能作为桶名。桶名由 3 到 63 个小写字母、数字和连字符组成，首尾必须是字母或数字。\n"
            f"--bucket {options.bucket!r} is refused: {str(error).rstrip('.')}. A name is 3 to 63 lower-case letters, "
            "digits and hyphens, with a letter or digit at both ends."
        )
    if isinstance(error, TemplateError):
        return (
            f"template.yaml 的参数有误（{error}）。请改正 --parameter；名称和可用的值见 template.yaml 的 Parameters。\n"
            f"The parameters of template.yaml are wrong: {error}. Correct --parameter; the names and their values "
            "stand under Parameters in template.yaml."
        )
    if isinstance(error, DataDirUnusable | PortTaken):
        return str(error)
    return f"本地云无法启动：{error}。请检查磁盘空间和权限。\nThe local cloud cannot start: {error}. Check disk space and permissions."


def _run(cloud: LocalCloud, signals: SimpleQueue[int], on_start: Callable[[LocalCloud], None]) -> None:
    """Until a signal comes; ``DataDirGone`` ends it, too."""
    with ExitStack() as running:
        running.callback(cloud.stop)
        running.enter_context(cloud.lock.told_once())
        # A signal during the start only waits in ``signals``: the start finishes, then all stops.
        if not signals.empty():
            return
        running.enter_context(announced(cloud))
        _make_folders(cloud.bucket_dir)
        on_start(cloud)
        while True:
            try:
                signals.get(timeout=LOOK_S)
                break
            except Empty:
                cloud.check_folders()
        say("正在停止 … / Stopping …", sys.stderr)


def _welcome(cloud: LocalCloud) -> None:
    say(welcome(cloud))
    for warning in answerer_warnings(cloud.options):
        say(warning)


def _make_folders(bucket_dir: Path) -> None:
    """The folders that people look for, and in a new inbox a recipe to copy from.

    Once deleted, the recipe stays away.
    """
    is_fresh = not (bucket_dir / "inbox").exists()
    for folder in ("inbox", "results", "rejected"):
        (bucket_dir / folder).mkdir(parents=True, exist_ok=True)
    if is_fresh:
        shutil.copy(EXAMPLE_RECIPE, bucket_dir / "inbox")


def welcome(cloud: LocalCloud) -> str:
    """What the person at the terminal is told at the start, keys and all."""
    bailian = (
        f"\n  Bailian           {cloud.bailian.base_url}\n                    API key {cloud.api_key}"
        if cloud.bailian
        else ""
    )
    others = "".join(each.told() for each in cloud.second_clouds)
    return f"""\
Batchdrop's local cloud is up. Ctrl-C stops it. 本地云已启动，按 Ctrl-C 停止。
  drop files into   {cloud.bucket_dir / "inbox"}
  find answers in   {cloud.bucket_dir / "results"}
  refused files     {cloud.bucket_dir / "rejected"}
  the page          {cloud.gateway.url}/
  OSS endpoint      {cloud.oss.url}   region {REGION}   bucket {cloud.options.bucket}
                    access key {cloud.keys.access_key_id}
                    secret {cloud.keys.access_key_secret}{bailian}{others}
  logs              {cloud.logs_dir}"""
