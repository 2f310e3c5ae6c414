"""``/batches``: create, get, list, cancel."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from flask import Blueprint, Response, jsonify, request

from scripts.localcloud.answers.upstream import Silence
from scripts.localcloud.bailian.api.creation import checked_creation, new_batch, uploaded
from scripts.localcloud.bailian.api.oss_input import OssInput, input_from_oss
from scripts.localcloud.bailian.api.queries import (
    after_condition,
    int_between,
    time_conditions,
    words_condition,
)
from scripts.localcloud.bailian.api.refusals import ApiError, no_such
from scripts.localcloud.bailian.database import Condition, Database
from scripts.localcloud.bailian.files_and_batches import Batch, BatchFinding, BatchFindings
from scripts.localcloud.bailian.limits import AccountLimits
from scripts.localcloud.bailian.service_faults import BailianFaults, BatchFault
from scripts.localcloud.bailian.times import BATCH_FORMATS
from scripts.localcloud.servers.wsgi_server import hang_up
from shared.ports.clock import Clock
from shared.providers.bailian.profile import TEST_ENDPOINT

WaitsFor = Callable[[], Silence | None]
_SHOWN_FOR = timedelta(days=30)


class BatchViews:
    """Batches as calls show them. Counts the looks: some faults last for a number of them."""

    def __init__(self, database: Database, waits_for: WaitsFor) -> None:
        self._database = database
        self._waits_for = waits_for
        self._lock = threading.Lock()
        self._gets: Counter[str] = Counter()
        self._finished_gets: Counter[str] = Counter()
        self._lists: Counter[str] = Counter()

    def shown_alone(self, batch: Batch) -> dict[str, object] | None:
        """What GET shows, or ``None`` if it does not know the batch yet."""
        fault = self._database.fault_of(batch.id)
        look = self._count(self._gets, batch)
        if look <= fault.unseen_gets:
            return None
        if fault.odd_status and look - fault.unseen_gets <= fault.odd_status_gets:
            return _unfinished(batch) | {"status": fault.odd_status}
        return self._finished(batch, fault) | self._reason_to_wait(batch)

    def shown_in_list(self, batch: Batch) -> dict[str, object] | None:
        fault = self._database.fault_of(batch.id)
        if self._count(self._lists, batch) <= fault.unlisted_lists:
            return None
        return batch.model_dump()

    def _finished(self, batch: Batch, fault: BatchFault) -> dict[str, object]:
        if batch.is_terminal and self._count(self._finished_gets, batch) <= fault.late_output_gets:
            return batch.model_dump() | {"output_file_id": None, "error_file_id": None}
        return batch.model_dump()

    def _reason_to_wait(self, batch: Batch) -> dict[str, object]:
        """The real service says nothing of this kind: its running batches have no ``errors``."""
        is_forwarded = batch.status in ("validating", "in_progress") and batch.endpoint != TEST_ENDPOINT
        silence = self._waits_for() if is_forwarded else None
        if silence is None:
            return {}
        finding = BatchFinding(code=silence.code, message=silence.said)
        return {"errors": BatchFindings(data=(finding,)).model_dump()}

    def _count(self, looks: Counter[str], batch: Batch) -> int:
        with self._lock:
            looks[batch.id] += 1
            return looks[batch.id]


def batches_blueprint(
    database: Database,
    faults: BailianFaults,
    limits: AccountLimits,
    clock: Clock,
    *,
    take: Callable[[str], None],
    waits_for: WaitsFor,
    oss: OssInput | None,
) -> Blueprint:
    """The routes; ``take`` starts a new batch, ``waits_for`` says why none goes on."""
    batches = Blueprint("batches", __name__)
    _add_views(batches, database, clock, BatchViews(database, waits_for))

    @batches.post("", endpoint="create")
    def create() -> Response:
        creation = checked_creation(request.get_json(silent=True))
        name = creation.input_file_id
        # Two at once must not both be the last that the quota has room for.
        with input_from_oss(oss, name, database.uploads) as fetched, database.lock:
            batch = new_batch(creation, database, limits, clock)
            fault = faults.take_for_batch(batch.name)
            database.add_batch(batch, fault, fetched or uploaded(name, database))
        take(batch.id)
        return hang_up() if fault.cut_connection else jsonify(batch.model_dump())

    @batches.post("/<batch_id>/cancel", endpoint="cancel")
    def cancel(batch_id: str) -> Response:
        with database.lock:
            batch = _batch(database, batch_id)
            if batch.is_terminal:
                raise ApiError(400, f"Cannot cancel a batch with status '{batch.status}'.", param="batch_id")
            return jsonify(database.update_batch(batch_id, status="cancelling").model_dump())

    return batches


def _add_views(batches: Blueprint, database: Database, clock: Clock, views: BatchViews) -> None:
    @batches.get("/<batch_id>", endpoint="retrieve")
    def retrieve(batch_id: str) -> Response:
        shown = views.shown_alone(_batch(database, batch_id))
        if shown is None:
            raise no_such("Batch", batch_id)
        return jsonify(shown)

    @batches.get("", endpoint="list")
    def list_batches() -> Response:
        limit = int_between("limit", 1, 100, default=20)
        found = database.batches(_conditions(database, clock), limit)
        shown = [each for batch in found if (each := views.shown_in_list(batch))]
        return jsonify(_page(shown, has_more=len(found) == limit))


def _conditions(database: Database, clock: Clock) -> list[Condition]:
    oldest = int((clock.now() - _SHOWN_FOR).timestamp())
    conditions = [
        Condition("created_at >= ?", (oldest,)),
        *after_condition(database, "batches"),
        *time_conditions(BATCH_FORMATS),
        *words_condition("status", "status", 8),
        *words_condition("input_file_ids", "input_file_id", 20),
    ]
    if name := request.args.get("ds_name"):
        # Fuzzy: any batch whose name holds this text.
        conditions.append(Condition("INSTR(name, ?) > 0", (name,)))
    return conditions


def _unfinished(batch: Batch) -> dict[str, object]:
    ends = ("completed_at", "finalizing_at", "failed_at", "expired_at", "cancelled_at", "cancelling_at")
    return batch.model_dump() | dict.fromkeys((*ends, "output_file_id", "error_file_id", "errors"))


def _page(shown: list[dict[str, object]], *, has_more: bool) -> dict[str, object]:
    """One page as recorded: ``data`` is null when empty.

    ``has_more`` was true of every full page, whether or not another one followed, and else false.
    """
    return {
        "object": "list",
        "data": shown or None,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": has_more,
    }


def _batch(database: Database, batch_id: str) -> Batch:
    batch = database.batch(batch_id)
    if batch is None:
        raise no_such("Batch", batch_id)
    return batch
