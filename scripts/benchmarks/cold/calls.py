"""One file's way through all functions, each in a fresh process: the costs of first invocations."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from scripts.benchmarks.cold.processes import Cost, run_python
from scripts.localcloud.bailian.batches.batch_events import FinishedBatch, render_batch_event
from scripts.localcloud.bailian.local_bailian import LocalBailian
from scripts.localcloud.oss.local_oss import LocalOss
from scripts.localcloud.oss.oss_events import render_oss_event
from scripts.localcloud.storage.object_events import ObjectEvent
from shared.bucket.keys import INBOX, RESULTS, Stage, ticket_in
from shared.events.callbacks import callback_path_for
from shared.ports.store import ObjectStore
from shared.runtime.custom.http_shapes import render_http_event
from shared.stores.oss.store import open_oss_store

_CALL = """
import sys, time
sys.path.insert(0, sys.argv[1])
event = sys.stdin.buffer.read()
import index
started_s = time.perf_counter()
answer = index.handler(event, None)
call_s = time.perf_counter() - started_s
assert not isinstance(answer, dict) or answer.get("statusCode", 200) == 200, answer
"""
_BUCKET, _REGION, _KEY_ID, _WORD = "cold", "cn-beijing", "CallerKeyId", "a-made-up-word-of-the-benchmark"
_PATIENCE_S = 60.0
_RECIPE = b"model: batch-test-model\nprompt: |\n  {{ text }}\n"
_TABLE = "id,text\n1,你好\n2,hello\n".encode()


@dataclass
class LocalServices:
    """The local OSS and Bailian, and what they had to tell since they were started."""

    store: ObjectStore
    environment: dict[str, str]
    written: queue.Queue[ObjectEvent] = field(default_factory=queue.Queue)
    ended: queue.Queue[FinishedBatch] = field(default_factory=queue.Queue)

    def next_written(self, prefix: str) -> ObjectEvent:
        """The next object that was put under this prefix.

        Raises:
            Empty: There was none: the function before did not do its work.
        """
        while True:
            event = self.written.get(timeout=_PATIENCE_S)
            if event.key.startswith(prefix) and not event.event_name.startswith("ObjectRemoved"):
                return event


@contextmanager
def local_services(folder: Path) -> Iterator[LocalServices]:
    written: queue.Queue[ObjectEvent] = queue.Queue()
    ended: queue.Queue[FinishedBatch] = queue.Queue()
    oss = LocalOss(folder, {_KEY_ID: _WORD}, _REGION, written.put)
    oss.storage.create_bucket(_BUCKET)
    with oss, LocalBailian(folder, _WORD, on_finished=ended.put) as bailian:
        store = open_oss_store(
            oss.url, _REGION, _BUCKET, access_key_id=_KEY_ID, access_key_secret=_WORD, security_token=None
        )
        environment = {
            "BUCKET_NAME": _BUCKET,
            "OSS_ENDPOINT": oss.url,
            "OSS_REGION": _REGION,
            "DASHSCOPE_API_KEY": _WORD,
            "DASHSCOPE_BASE_URL": bailian.base_url,
            "CALLBACK_SECRET": _WORD,
            "PAGE_OPEN": "local",
            "ALIBABA_CLOUD_ACCESS_KEY_ID": _KEY_ID,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": _WORD,
        }
        yield LocalServices(store, environment, written, ended)


def first_calls(
    interpreter: str, folders: dict[str, Path], services: LocalServices, number: int
) -> dict[str, Cost]:
    """Drop a small CSV with a recipe and take it to its result; ``call_s`` is the handler's time.

    Args:
        interpreter: Runs what is in the folders.
        folders: The unpacked zip of each function.
        services: Where the file is dropped.
        number: Makes this round's file another one.
    """

    def call(function: str, event: bytes) -> Cost:
        folder = str(folders[function])
        return run_python(interpreter, _CALL, folder, stdin=event, environment=services.environment)

    inbox = f"{INBOX}{number}"
    services.store.put(f"{inbox}/batch.yaml", _RECIPE)
    services.store.put(f"{inbox}/rows.csv", _TABLE)
    costs = {"validate": call("validate", render_oss_event(services.next_written(f"{inbox}/rows.csv")))}
    costs["submit"] = call("submit", render_oss_event(services.next_written(Stage.READY.value)))
    batch = services.ended.get(timeout=_PATIENCE_S)
    costs["message"] = call("message", render_batch_event(batch))
    ticket = services.next_written(Stage.FINISHED.value)
    services.store.delete(ticket.key)  # or callback would find that it has nothing to add
    costs["callback"] = call("callback", _callback_event(ticket.key))
    costs["collect"] = call("collect", render_oss_event(services.next_written(Stage.FINISHED.value)))
    services.next_written(RESULTS)
    costs["reconcile"] = call("reconcile", b"{}")
    costs["page"] = call("page", _http_event("GET", "/api/jobs", ("x-batchdrop", "page")))
    return costs


def _callback_event(ticket: str) -> bytes:
    named = ticket_in(ticket)
    if named is None:
        raise ValueError(f"{ticket} is no ticket")
    return _http_event("POST", callback_path_for(named[1], _WORD.encode()), body=b"{}")


def _http_event(method: str, path: str, *headers: tuple[str, str], body: bytes = b"") -> bytes:
    event = render_http_event(
        method,
        path,
        [("host", "localhost"), *headers],
        body,
        source_ip="127.0.0.1",
        request_id="cold",
        account_id="0",
        received_at=datetime.now(timezone.utc),
    )
    return json.dumps(event).encode()
