"""The local Ark beside a local storage, with the adapter in front of it; and its requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.localcloud.actions.signature import AccessKey
from scripts.localcloud.ark.jobs.job import Job
from scripts.localcloud.ark.jobs.job_store import JobStore
from scripts.localcloud.ark.local_ark import LocalArk
from scripts.localcloud.tos.local_tos import LocalTos
from shared.ports.provider import BatchId, BatchRequest, BatchState
from shared.ports.store import ObjectStore
from shared.providers.ark.client import Ark, open_ark
from shared.stores.tos.store import open_tos_store
from tests.support.bailian_requests import batch_request, wait_for

ARK_MODEL = "doubao-seed-2-1-pro-260628"
KEY_ID, SECRET, API_KEY = "AKLTlocal", "local-secret-of-ark", "local-api-key-of-ark"
BUCKET, PREFIX, REGION = "acme-batch", "batchdrop/", "cn-beijing"
# Where a request of the name "job" lies, and a job that nobody created.
INPUT, FOLDER = f"{PREFIX}in/job.jsonl", f"{PREFIX}out/job/"
GONE = BatchId("bi-20200101000000-zzzzz")


@dataclass(frozen=True)
class ArkOnThisMachine:
    """Everything that a test of Ark may want to look at."""

    tos: LocalTos
    ark: LocalArk
    provider: Ark
    store: ObjectStore

    @property
    def jobs(self) -> list[Job]:
        return list(self._memory.jobs())

    @property
    def _memory(self) -> JobStore:
        assert self.ark.store
        return self.ark.store

    def objects(self, prefix: str = PREFIX) -> list[str]:
        return [found.key for found in self.store.list(prefix)]


@contextmanager
def local_ark(directory: Path, **options: Any) -> Iterator[ArkOnThisMachine]:
    with LocalTos(directory / "tos", {KEY_ID: SECRET}, REGION) as tos:
        tos.storage.create_bucket(BUCKET)
        options = {"api_key": API_KEY} | options
        with LocalArk(directory, {KEY_ID: AccessKey(SECRET)}, lambda: tos.storage, **options) as ark:
            store = open_staging(tos.proxy)
            yield ArkOnThisMachine(tos, ark, open_adapter(ark.url, store), store)


def open_staging(proxy: str) -> ObjectStore:
    """The bucket of the local TOS that is reached through this proxy."""
    return open_tos_store(
        f"http://tos-{REGION}.volces.com",
        REGION,
        BUCKET,
        access_key_id=KEY_ID,
        secret_access_key=SECRET,
        proxy=proxy,
    )


def open_adapter(url: str, store: ObjectStore, **changes: Any) -> Ark:
    values = {"access_key_id": KEY_ID, "secret_access_key": SECRET, "bucket": BUCKET, "prefix": PREFIX}
    return open_ark(url, REGION, "default", staging=store, **(values | changes))


def ark_line(custom_id: str, content: str = "hello", /, **fields: Any) -> bytes:
    line = {"custom_id": custom_id, "body": {"messages": [{"role": "user", "content": content}]}}
    return json.dumps(line | fields, ensure_ascii=False).encode() + b"\n"


def ark_request(name: str, *lines: bytes, **fields: Any) -> BatchRequest:
    return batch_request(name, *(lines or (ark_line("a"),)), **({"model": ARK_MODEL} | fields))


def ended(on: ArkOnThisMachine, batch_id: BatchId) -> BatchState:
    """The job at its end."""

    def look() -> BatchState | None:
        state = on.provider.status(batch_id)
        return state if state and state.status.is_terminal else None

    return wait_for(look)


def stage(on: ArkOnThisMachine, name: str) -> None:
    """Lay out an input and a folder of results, as before a create."""
    on.store.put(f"{PREFIX}in/{name}.jsonl", ark_line("a"))
    on.store.put(f"{PREFIX}out/{name}/", b"")
