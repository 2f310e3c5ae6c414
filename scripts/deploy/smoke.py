"""Whether a deployment answers: one row by the free test model, all the way, and away again."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import oss2

from scripts.deploy.place import Place
from scripts.deploy.releases import is_passing, open_bucket, reason_of
from shared.bucket.result_names import quote_keys_for, rejection_keys_for

FOLDER = "batchdrop-smoke-test/"
# https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai: it costs nothing
# and answers the same text always.
_RECIPE = b"provider: bailian\nmodel: batch-test-model\nprompt: |\n  {{ text }}\n"
_LOOK_S = 1.0
Answer = TypeVar("Answer")


class SmokeFailed(Exception):
    """No answer came; the message says what came instead."""


def smoke_test(place: Place, bucket: str, now: datetime, patience_s: float) -> float:
    """Drop a file of one row and wait for its answer; returns after how many seconds it came.

    What was dropped and what was answered are deleted; the job's records stay, as every job's do.

    Raises:
        SmokeFailed: The row was not answered in time, or the file was refused.
    """
    store = open_bucket(place, bucket)
    name = f"{now:%Y%m%dT%H%M%S%fZ}"
    begun_s = time.monotonic()
    until_s = begun_s + patience_s
    try:
        _patiently(lambda: store.put_object(f"inbox/{FOLDER}batch.yaml", _RECIPE), until_s)
        _patiently(lambda: store.put_object(f"inbox/{FOLDER}{name}.csv", b"text\nhello\n"), until_s)
        _wait(store, name, until_s)
    except oss2.exceptions.OssError as error:
        raise SmokeFailed(reason_of(error)) from error
    finally:
        _clear(store, name)
    return time.monotonic() - begun_s


def _wait(store: oss2.Bucket, name: str, until_s: float) -> None:
    refusal, _ = rejection_keys_for(f"inbox/{FOLDER}{name}.csv")
    while time.monotonic() < until_s:
        report = _found(store, f"results/{FOLDER}{name}.report.json", until_s)
        if report is not None:
            counts = json.loads(report).get("by_status", {})
            if counts != {"answered": 1}:
                raise SmokeFailed(json.dumps(counts))
            return
        refused = _found(store, refusal, until_s)
        if refused is not None:
            raise SmokeFailed(refused.decode("utf-8-sig", "replace"))
        time.sleep(_LOOK_S)
    raise SmokeFailed("no answer in time")


def _found(store: oss2.Bucket, key: str, until_s: float) -> bytes | None:
    try:
        return _patiently(lambda: bytes(store.get_object(key).read()), until_s)
    except oss2.exceptions.NoSuchKey:
        return None


def _patiently(request: Callable[[], Answer], until_s: float) -> Answer:
    """Ask again where nothing was reached: one lost request says nothing of a version."""
    while True:
        try:
            return request()
        except oss2.exceptions.OssError as error:
            if not is_passing(error) or time.monotonic() >= until_s:
                raise
        time.sleep(_LOOK_S)


def _clear(store: oss2.Bucket, name: str) -> None:
    for key in (
        f"inbox/{FOLDER}{name}.csv",
        f"inbox/{FOLDER}batch.yaml",
        f"results/{FOLDER}{name}.csv",
        f"results/{FOLDER}{name}.report.json",
        *quote_keys_for(f"inbox/{FOLDER}{name}.csv"),
        *rejection_keys_for(f"inbox/{FOLDER}{name}.csv"),
    ):
        with contextlib.suppress(oss2.exceptions.OssError):  # how it ended matters more
            store.delete_object(key)
