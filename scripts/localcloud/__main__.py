"""``python -m scripts.localcloud --data DIR``: the local cloud until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from queue import Empty, SimpleQueue

from scripts.localcloud.announce import announced
from scripts.localcloud.answerer_warnings import answerer_warnings
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.data_lock import LOOK_S, DataDirGone, DataDirInUse
from scripts.localcloud.local_server import PortTaken
from scripts.localcloud.options import BAILIAN_URL, REGION, REPOSITORY, CloudOptions
from scripts.localcloud.oss.refusals import OssRefusal
from scripts.template.ros import TemplateError
from scripts.terminal import Parser, say, shown
from shared.runtime.logs import configure_logging

PROGRAM = "python -m scripts.localcloud"
EXAMPLE_RECIPE = REPOSITORY / "examples" / "batch.yaml.example"

MAX_PORT = 65535


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog=PROGRAM,
        description="Run Batchdrop on this machine. Drop files into DIR/BUCKET/inbox, find answers in DIR/BUCKET/results.",
    )
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="where the bucket is; made if need be"
    )
    parser.add_argument("--bucket", default="batchdrop", help="the bucket's name (default: %(default)s)")
    parser.add_argument(
        "--provider",
        choices=["local", "bailian"],
        default="local",
        help="local: test answers or --upstream; bailian: the real service, with DASHSCOPE_API_KEY, at its price",
    )
    parser.add_argument("--base-url", default=BAILIAN_URL, help="of the real Bailian (default: %(default)s)")
    parser.add_argument(
        "--upstream", metavar="URL", help="an OpenAI-compatible server (…/v1) that answers each request"
    )
    parser.add_argument(
        "--upstream-model", metavar="NAME", help="the model to ask of it, instead of each request's own"
    )
    parser.add_argument(
        "--concurrency", type=int, default=2, help="requests at once to it (default: %(default)s)"
    )
    parser.add_argument(
        "--batch-delay", type=float, default=0.0, metavar="S", help="seconds a local batch takes at least"
    )
    parser.add_argument("--port", type=int, default=0, help="of the local OSS (default: a free one)")
    parser.add_argument("--web-port", type=int, default=0, help="of the status page (default: a free one)")
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a parameter of template.yaml, such as DefaultModel=qwen-plus; may be repeated",
    )
    return parser


def parse_options(arguments: Sequence[str], env: Mapping[str, str]) -> CloudOptions:
    """Read the command line; a mistake ends the program with a sentence that says what is wrong."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    api_key = env.get("DASHSCOPE_API_KEY", "").strip()
    if chosen.provider == "bailian" and not api_key:
        parser.error("--provider bailian needs your API key in the environment variable DASHSCOPE_API_KEY")
    if chosen.provider == "bailian" and chosen.upstream:
        parser.error("--upstream is for the local provider; with --provider bailian it has no effect")
    if chosen.upstream and not chosen.upstream.startswith(("http://", "https://")):
        parser.error(f"--upstream takes a URL such as http://127.0.0.1:11434/v1, not {chosen.upstream!r}")
    for port in (chosen.port, chosen.web_port):
        if not 0 <= port <= MAX_PORT:
            parser.error(f"a port is a number up to {MAX_PORT}, not {port}")
    if malformed := [text for text in chosen.parameter if "=" not in text]:
        parser.error(f"--parameter takes NAME=VALUE, not {malformed[0]!r}")
    return CloudOptions(
        data_dir=chosen.data.expanduser().resolve(),
        bucket=chosen.bucket,
        provider=chosen.provider,
        api_key=api_key if chosen.provider == "bailian" else None,
        base_url=chosen.base_url.rstrip("/"),
        upstream=chosen.upstream,
        upstream_api_key=env.get("UPSTREAM_API_KEY"),
        upstream_model=chosen.upstream_model,
        concurrency=chosen.concurrency,
        batch_delay_s=chosen.batch_delay,
        oss_port=chosen.port,
        gateway_port=chosen.web_port,
        parameters=dict(text.split("=", 1) for text in chosen.parameter),
    )


def main(arguments: Sequence[str], env: Mapping[str, str]) -> None:
    options = parse_options(arguments, env)
    # Not an Event: a signal may interrupt its wait while that holds its lock, and wait for ever.
    # Only this put may come in the middle of anything:
    # https://docs.python.org/3/library/queue.html#queue.SimpleQueue.put
    signals: SimpleQueue[int] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: signals.put(number))
    try:
        cloud = LocalCloud(options).start()
    except (DataDirInUse, PortTaken, TemplateError, OSError) as error:
        raise SystemExit(shown(f"{PROGRAM}: {error}")) from None
    except OssRefusal as refusal:
        rule = "3 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends"
        told = f"{PROGRAM}: --bucket {options.bucket!r} is refused: {refusal}. A name is {rule}."
        raise SystemExit(shown(told)) from None
    try:
        _run(cloud, signals)
    except DataDirGone as gone:
        raise SystemExit(shown(f"{PROGRAM}: {gone}")) from None


def _run(cloud: LocalCloud, signals: SimpleQueue[int]) -> None:
    """Until a signal comes; ``DataDirGone`` ends it, too."""
    with ExitStack() as running:
        running.callback(cloud.stop)
        running.enter_context(cloud.lock.told_once())
        # A signal during the start only waits in ``signals``: the start finishes, then all stops.
        if not signals.empty():
            return
        running.enter_context(announced(cloud))
        _make_folders(cloud.bucket_dir)
        say(_welcome(cloud))
        for warning in answerer_warnings(cloud.options):
            say(warning)
        while True:
            try:
                signals.get(timeout=LOOK_S)
                break
            except Empty:
                cloud.check_folders()
        say("正在停止 … / Stopping …")


def _make_folders(bucket_dir: Path) -> None:
    """The folders that people look for, and in a new inbox a recipe to copy from.

    Once deleted, the recipe stays away.
    """
    is_fresh = not (bucket_dir / "inbox").exists()
    for folder in ("inbox", "results", "rejected"):
        (bucket_dir / folder).mkdir(parents=True, exist_ok=True)
    if is_fresh:
        shutil.copy(EXAMPLE_RECIPE, bucket_dir / "inbox")


def _welcome(cloud: LocalCloud) -> str:
    bailian = (
        f"\n  Bailian           {cloud.bailian.base_url}\n                    API key {cloud.api_key}"
        if cloud.bailian
        else ""
    )
    return f"""\
Batchdrop's local cloud is up. Ctrl-C stops it. 本地云已启动，按 Ctrl-C 停止。
  drop files into   {cloud.bucket_dir / "inbox"}
  find answers in   {cloud.bucket_dir / "results"}
  refused files     {cloud.bucket_dir / "rejected"}
  status page       {cloud.gateway.url}/
  OSS endpoint      {cloud.oss.url}   region {REGION}   bucket {cloud.options.bucket}
                    access key {cloud.keys.access_key_id}
                    secret {cloud.keys.access_key_secret}{bailian}
  logs              {cloud.logs_dir}"""


if __name__ == "__main__":
    configure_logging("WARNING")  # the functions log to their own files
    main(sys.argv[1:], os.environ)
