"""What the service says when a batch has ended: the callback's body and the EventBridge event."""

from __future__ import annotations

import json
import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone

import requests

from scripts.localcloud.bailian.files_and_batches import Batch
from scripts.localcloud.bailian.times import render_beijing_time
from scripts.localcloud.options import ACCOUNT_ID

log = logging.getLogger(__name__)

# The words of the sibling event AsyncTaskFinish; "CANCELED" has one L there.
_TASK_STATUS = {"completed": "SUCCEEDED", "failed": "FAILED", "expired": "FAILED", "cancelled": "CANCELED"}


@dataclass(frozen=True)
class FinishedBatch:
    """One batch that has ended, as ``GET /batches/{id}`` shows it."""

    batch: Batch
    finished_at: datetime

    @property
    def json(self) -> dict[str, object]:
        return self.batch.model_dump(mode="json")


def batch_event(finished: FinishedBatch) -> dict[str, object]:
    """The CloudEvent ``dashscope:System:BatchTaskFinish`` in its expected form.

    The names inside ``data`` are those of the documented sibling ``AsyncTaskFinish``; Bailian has
    published none for batches. The event's id depends on the batch alone, so a second delivery is
    recognisable.
    """
    batch = finished.batch
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, batch.id)),
        "source": "acs.dashscope",
        "type": "dashscope:System:BatchTaskFinish",
        "datacontenttype": "application/json;charset=utf-8",
        "time": _event_time(finished.finished_at),
        "aliyunaccountid": ACCOUNT_ID,
        "aliyunoriginalaccountid": ACCOUNT_ID,
        "aliyunpublishtime": _event_time(finished.finished_at),
        "aliyuneventbusname": "default",
        "aliyunregionid": "cn-beijing",
        "data": {
            "task_id": batch.id,
            "task_status": _TASK_STATUS[batch.status],
            "start_time": render_beijing_time(datetime.fromtimestamp(batch.created_at, timezone.utc)),
            "end_time": render_beijing_time(finished.finished_at),
            "region": "cn-beijing",
            "request_id": str(uuid.uuid5(uuid.NAMESPACE_URL, batch.id)),
            "api_key_id": "1250",
            "user_api_unique_key": "apikey:v1:batch",
            "contain_result": False,
        },
    }


def render_batch_event(finished: FinishedBatch) -> bytes:
    return json.dumps(batch_event(finished), ensure_ascii=False).encode()


def render_callback(finished: FinishedBatch) -> bytes:
    """The callback's body; invented, because the real one is documented nowhere."""
    shown = ("id", "object", "status", "output_file_id", "error_file_id", "request_counts", "metadata")
    return json.dumps({name: finished.json[name] for name in shown}, ensure_ascii=False).encode()


def post_callback(url: str, finished: FinishedBatch) -> None:
    """Call the URL once. Who does not answer misses it, as in the real service for all we know."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            response = session.post(
                url, data=render_callback(finished), headers={"Content-Type": "application/json"}, timeout=10
            )
        except requests.RequestException as error:
            # Not its text, which holds the URL with its signature. And no warning: a cloud that was
            # started again is at another port, and the timer finds the batch.
            told = {"batch_id": finished.batch.id, "error": type(error).__name__, "errno": _errno(error)}
            log.info("callback.failed", extra=told)
            return
    log.info("callback.sent", extra={"batch_id": finished.batch.id, "status": response.status_code})


def _errno(error: BaseException | None) -> int | None:
    """The operating system's number for what went wrong, which stands in one of the causes."""
    while error and not (isinstance(error, OSError) and error.errno):
        error = error.__context__
    return error.errno if isinstance(error, OSError) else None


def _event_time(at: datetime) -> str:
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
