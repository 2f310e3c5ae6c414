"""What can be typed for a local cloud, and what is refused of it."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click

from scripts.localcloud.options import BAILIAN_URL, PROVIDERS, CloudOptions
from scripts.terminal import say

PROGRAM = "python -m scripts.localcloud"
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
