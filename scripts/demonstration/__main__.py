"""The main job, shown: example files go into a local cloud's inbox, and results are read back."""

from __future__ import annotations

import csv
import itertools
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from scripts.demonstration.real_model import ModelServer
from scripts.localcloud.announce import announced
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.data_lock import DataDirGone, DataDirUnusable
from scripts.localcloud.options import REPOSITORY, CloudOptions
from scripts.operate.jobs.show import counts, states
from scripts.terminal import Parser, ProgressView, render_table, say, typed_path
from shared.board.model import OpenJob
from shared.board.read import ReadBoard
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import INBOX
from shared.bucket.records import Ledger
from shared.bucket.result_names import report_key_for, result_key_for
from shared.ports.provider import BatchId, BatchProvider
from shared.problems.exceptions import PipelineError
from shared.runtime.system_clock import SystemClock

EXAMPLES = REPOSITORY / "examples"
TEST_ANSWERS = ("reviews/reviews.csv", "sentences/sentences.csv", "requests/test-model.jsonl")
MODEL_ANSWERS = ("tickets/tickets.csv",)
SHOWN_ROWS = 4
DEADLINE_S = {False: 180.0, True: 1800.0}


def main(arguments: Sequence[str]) -> int:
    parser = Parser(prog="scripts/demo", description=__doc__)
    parser.add_argument(
        "--real-model", action="store_true", help="let a small language model on this machine answer"
    )
    parser.add_argument(
        "--data", type=typed_path, help="where the bucket is (default: a new folder in batchdrop-data/)"
    )
    chosen = parser.parse_args(arguments)
    data_dir = chosen.data or _new_folder(REPOSITORY / "batchdrop-data")
    try:
        with ExitStack() as running:
            return _run(running, data_dir, real_model=chosen.real_model)
    except KeyboardInterrupt:  # everything has been stopped on the way here
        say(f"\n已停止，没有留下任何进程 / Stopped, nothing is left running: {data_dir}")
        return 130
    except (DataDirUnusable, DataDirGone) as error:
        say(f"scripts/demo: {error}", sys.stderr)
        return 1
    except subprocess.SubprocessError as error:
        say(f"模型服务没有启动 / The language model's server did not start: {error}", sys.stderr)
        return 1


def _run(running: ExitStack, data_dir: Path, *, real_model: bool) -> int:
    started_s = time.monotonic()
    upstream = None
    if real_model:
        say("正在启动模型 / Starting the language model (SmolLM2-135M-Instruct) …")
        upstream = running.enter_context(ModelServer()).url
    say("正在启动本地云 / Starting the local cloud …")
    # A batch takes a moment, as at the real service, so that there is something to see.
    # For so few files, a second instance of each function would cost more than it does.
    options = CloudOptions(data_dir, upstream=upstream, workers=1, batch_delay_s=3.0)
    cloud = running.enter_context(LocalCloud(options))
    running.enter_context(cloud.lock.told_once())
    running.enter_context(announced(cloud))
    names = MODEL_ANSWERS if real_model else TEST_ANSWERS
    for name in names:
        _drop(cloud, name)
    say(f"已放入 {len(names)} 个文件 / Dropped {len(names)} file(s) into {cloud.bucket_dir / 'inbox'}\n")
    ledgers = _watch(cloud, names, started_s + DEADLINE_S[real_model])
    if ledgers is None:
        say(f"\n没有按时完成，请看日志 / Not finished in time. See the logs in {cloud.logs_dir}", sys.stderr)
        return 1
    for ledger in ledgers:
        _show_result(cloud, ledger)
    if not real_model:
        say("以上是根据每行内容编造的测试答案；真实的答案：scripts/demo --real-model")
        say("These are test answers, made from each row's text. Real ones: scripts/demo --real-model")
    seconds = f"{time.monotonic() - started_s:.0f}"
    say(
        f"用时 {seconds} 秒，正在停止所有进程 / Done in {seconds} s, everything that was started is being stopped"
    )
    return 0


def _new_folder(parent: Path) -> Path:
    return next(path for n in itertools.count(1) if not (path := parent / f"demo-{n}").exists())


def _drop(cloud: LocalCloud, name: str) -> None:
    """Copy an example and its recipe as a person would, the recipe first."""
    target = cloud.bucket_dir / INBOX / name
    target.parent.mkdir(parents=True, exist_ok=True)
    recipe = (EXAMPLES / name).with_name("batch.yaml")
    if recipe.exists():
        shutil.copy(recipe, target.parent)
    shutil.copy(EXAMPLES / name, target)


def _watch(cloud: LocalCloud, names: Sequence[str], deadline_s: float) -> list[Ledger] | None:
    """Show progress until every file has its result; ``None`` if that takes too long."""
    store, provider = cloud.open_store(), cloud.open_provider()
    records, board = BucketRecords(store), ReadBoard(store, SystemClock(), max_tickets=50)
    view = ProgressView(sys.stdout)
    keys = [INBOX + name for name in names]
    answered: Counter[str] = Counter()
    while time.monotonic() < deadline_s:
        cloud.check_folders()
        looked = [board.look(job_id, tickets) for job_id, tickets in board.open_jobs().items()]
        jobs = {job.source_key: job for job in looked if job}
        for key, job in jobs.items():
            # The board names running batches only; what others have answered is not forgotten.
            running = sum(_answered(provider, each) for each in job.batches)
            answered[key] = max(answered[key], running)
        # After the open jobs: a job that closed in between is not taken for one to be validated.
        ledgers = {key: records.find(report_key_for(result_key_for(key)), Ledger) for key in keys}
        view.show(_progress(key, ledgers[key], jobs.get(key), answered[key]) for key in keys)
        closed = [ledger for ledger in ledgers.values() if ledger]
        if len(closed) == len(keys):
            say("")
            return closed
        time.sleep(0.25)
    return None


def _progress(
    key: str, ledger: Ledger | None, job: OpenJob | None, answered: int
) -> tuple[str, int, int, str]:
    if ledger:
        return key, ledger.rows_out, ledger.rows_in, "完成 done"
    if job is None:
        return key, 0, 0, "检查中 being validated"
    return key, answered, job.rows, states(job) or "排队中 planned"


def _answered(provider: BatchProvider, batch_id: str) -> int:
    """What the provider counts for a running batch; a display can do without it for once."""
    try:
        state = provider.status(BatchId(batch_id))
    except PipelineError:
        return 0
    return (state.requests_completed or 0) + (state.requests_failed or 0) if state else 0


def _show_result(cloud: LocalCloud, ledger: Ledger) -> None:
    path = cloud.bucket_dir / ledger.result_key
    zh, en = counts(ledger)
    told = f"{ledger.rows_out} 行：{zh} / {ledger.rows_out} rows: {en}; {ledger.tokens.total} tokens"
    say(f"{path}\n    {told}")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(itertools.islice(csv.reader(file), SHOWN_ROWS + 1))
    hidden = {"reasoning_content", "model", "finish_reason", "prompt_tokens", "completion_tokens", "total_tokens",
              "request_id", "created", "error_code", "error_message", "usage"}  # fmt: skip
    shown = [index for index, name in enumerate(rows[0]) if name not in hidden]
    header, *body = [[row[index] for index in shown] for row in rows]
    say(render_table(header, body) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
