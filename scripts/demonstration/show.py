"""The main job, shown: example files go into a local cloud's inbox, and results are read back."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from scripts.demonstration.real_model import ModelServer
from scripts.localcloud.announce import announced
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.open_clients import provider_of
from scripts.localcloud.options import REPOSITORY, CloudOptions
from scripts.operate.access import OpenBucket, open_bucket
from scripts.operate.door.reply import DONE, HAS_FAILED_ROWS, Reply
from scripts.operate.run.follow import Follow
from scripts.operate.run.run_table import show_result
from scripts.operate.run.watch import Seen, Watch
from scripts.operate.texts.said import Refusal, said
from shared.bucket.keys import INBOX
from shared.ports.provider import BatchId, BatchProvider
from shared.problems.exceptions import PipelineError

EXAMPLES = REPOSITORY / "examples"
TEST_ANSWERS = ("reviews/reviews.csv", "sentences/sentences.csv", "requests/test-model.jsonl")
MODEL_ANSWERS = ("tickets/tickets.csv",)
DEADLINE_S = {False: 180.0, True: 1800.0}


def show(running: ExitStack, data_dir: Path | None, reply: Reply, *, real_model: bool) -> int:
    """Return the exit status; everything that is started ends with ``running``.

    Raises:
        Refusal: It was not done in time.
    """
    started_s = time.monotonic()
    upstream = None
    if real_model:
        reply.tell(said("starting_model"))
        upstream = running.enter_context(ModelServer()).url
    reply.tell(said("starting_demo"))
    # A batch takes a moment, as at the real service, so that there is something to see.
    # For so few files, a second instance of each function would cost more than it does.
    options = CloudOptions(data_dir or _new_folder(), upstream=upstream, workers=1, batch_delay_s=3.0)
    cloud = _started(running, options)
    names = MODEL_ANSWERS if real_model else TEST_ANSWERS
    for name in names:
        _drop(cloud, name)
    reply.tell(said("demo_dropped", files=len(names), folder=cloud.bucket_dir / INBOX))
    bucket = open_bucket({}, options.data_dir)
    ended = _follow(cloud, bucket, reply, names, started_s + DEADLINE_S[real_model])
    if ended is None:
        raise Refusal("demo_too_slow", folder=cloud.logs_dir)
    status = _show_results(bucket, reply, ended)
    if not real_model:
        reply.tell(said("demo_made_up"))
    reply.tell(said("demo_done", seconds=f"{time.monotonic() - started_s:.0f}"))
    return status


def _started(running: ExitStack, options: CloudOptions) -> LocalCloud:
    cloud = running.enter_context(LocalCloud(options))
    running.enter_context(cloud.lock.told_once())
    running.enter_context(announced(cloud))
    return cloud


def _new_folder() -> Path:
    parent = REPOSITORY / "batchdrop-data"
    return next(path for n in itertools.count(1) if not (path := parent / f"demo-{n}").exists())


def _drop(cloud: LocalCloud, name: str) -> None:
    """Copy an example and its recipe as a person would, the recipe first."""
    target = cloud.bucket_dir / INBOX / name
    target.parent.mkdir(parents=True, exist_ok=True)
    recipe = (EXAMPLES / name).with_name("batch.yaml")
    if recipe.exists():
        shutil.copy(recipe, target.parent)
    shutil.copy(EXAMPLES / name, target)


def _follow(
    cloud: LocalCloud, bucket: OpenBucket, reply: Reply, names: Sequence[str], deadline_s: float
) -> list[Seen] | None:
    watch = Watch(bucket, partial(_answered, provider_of(cloud)))

    def look(key: str) -> Seen:
        head = bucket.store.head(key)  # there once the store has seen the file
        return watch.look(head) if head else Seen()

    looks = {INBOX + name: partial(look, INBOX + name) for name in names}
    ended = Follow(reply, check=cloud.check_folders)(looks, deadline_s)
    return [*ended.values()] if ended else None


def _answered(provider: BatchProvider, batch_id: str) -> int:
    """What the provider counts for a running batch; a display can do without it for once."""
    try:
        state = provider.status(BatchId(batch_id))
    except PipelineError:
        return 0
    return (state.requests_completed or 0) + (state.requests_failed or 0) if state else 0


def _show_results(bucket: OpenBucket, reply: Reply, ended: Sequence[Seen]) -> int:
    closed = [(seen.plan, seen.ledger) for seen in ended if seen.plan and seen.ledger]
    shown = [show_result(bucket, reply, plan, ledger) for plan, ledger in closed]
    reply.show(results=[facts for _, facts in shown])
    return DONE if [status for status, _ in shown] == [DONE] * len(ended) else HAS_FAILED_ROWS
