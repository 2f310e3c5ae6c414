"""The local cloud at a terminal: its start, its welcome, its end on Ctrl-C."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

from scripts.localcloud.announce import announced
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.data_lock import LOOK_S, DataDirGone, DataDirUnusable
from scripts.localcloud.options import REGION, REPOSITORY, CloudOptions
from scripts.localcloud.servers.local_server import PortTaken
from scripts.localcloud.storage.refusals import Refusal
from scripts.localcloud.terminal.answerer_warnings import answerer_warnings
from scripts.localcloud.terminal.command_line import PROGRAM, parse_options
from scripts.template.parameters import TemplateError
from scripts.terminal import say, shown

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
EXAMPLE_RECIPE = REPOSITORY / "examples" / "batch.yaml.example"


class CannotStart(Exception):
    """It does not start, or its folder is gone; the text says why, in both languages."""


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
    for number in _SIGNALS:
        signal.signal(number, lambda number, _: signals.put(number))
    cloud = started(options)
    try:
        _run(cloud, signals, on_start or _welcome)
    except DataDirGone as gone:
        raise CannotStart(str(gone)) from None


def started(options: CloudOptions) -> LocalCloud:
    """Start it; raise ``CannotStart`` if that fails."""
    try:
        return LocalCloud(options).start()
    except (DataDirUnusable, PortTaken, TemplateError, Refusal, OSError, sqlite3.Error) as error:
        raise CannotStart(_told(error, options)) from None


def stop(cloud: LocalCloud, tell: Callable[[str], None]) -> None:
    """Stop it. Rows that a server is just answering are waited for, until a second signal comes."""
    # Before anybody is told of it: a signal must not end this half way.
    before = {number: signal.signal(number, lambda *_: cloud.hurry()) for number in _SIGNALS}
    try:
        if rows := cloud.calls_under_way:
            tell(_waiting_for(rows))
        cloud.stop()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _waiting_for(rows: int) -> str:
    return (
        f"正在等待已发出的 {rows} 行的回答，最多 30 秒，以免重复请求。再按一次 Ctrl-C 会立即结束，这些行以后会重新请求。\n"
        f"Waiting up to 30 s for the answers to {rows} row(s) that are being asked, so that none is asked again. "
        "Ctrl-C again ends at once; these rows are then asked again later."
    )


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
        running.callback(stop, cloud, partial(say, file=sys.stderr))
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
