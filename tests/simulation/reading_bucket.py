"""Bailian as it reads requests from the bucket: nothing is uploaded, and it may be shut out."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping

from shared.ports.provider import BatchId, BatchProblem, BatchRequest, BatchState
from shared.problems.exceptions import ProviderTrouble
from shared.providers.bailian.oss_input import OssInput
from shared.providers.bailian.troubles import OSS_NOT_READABLE
from tests.simulation.kernel import Kernel
from tests.simulation.service import Batch, Service
from tests.support.functions import BUCKET_NAME

OSS = OssInput("cn-beijing", BUCKET_NAME)


class ReadingService(Service):
    """The same service, given the names of objects.

    Args:
        objects: What lies in the bucket. It reads there by itself: no function's read may fail.
    """

    def __init__(
        self, kernel: Kernel, seed: int, notify: Callable[[Batch], object], objects: Mapping[str, bytes]
    ) -> None:
        super().__init__(kernel, seed, notify)
        self._objects = objects
        self._own = random.Random(f"closed bucket {seed}")
        self._closed_until_s = 0.0

    def submit(self, request: BatchRequest) -> BatchId:
        self._call("create", request.name)
        if self._strikes("bucket_closed", request.name):
            self._closed_until_s = self._kernel.now_s + self._own.uniform(600, 30_000)
        if self._kernel.now_s < self._closed_until_s and not self._kernel.faults.are_over:
            raise ProviderTrouble("create: the bucket has no tag", OSS_NOT_READABLE)
        lines = tuple(json.loads(line) for line in self._objects[request.object_key].split(b"\n") if line)
        batch = self._create(request, lines, OSS.name_of(request.object_key))
        self.batches[batch.batch_id] = batch
        self._created(batch)
        return batch.batch_id

    def find(self, name: str, object_key: str = "") -> BatchId | None:
        """By input and name, as the adapter does first."""
        self._call("find", name)
        wanted = OSS.name_of(object_key)
        found = [each for each in self.batches.values() if each.state.input_file == wanted]
        named = [each for each in found if each.request.name == name and self._lists(each)]
        return named[-1].batch_id if named else None

    def clean_up(self, state: BatchState) -> None:
        for file_id in state.result_files:
            self.delete_file(file_id)

    def _decide(self, batch: Batch) -> None:
        if self._strikes("failed_by_bucket", batch.request.name):
            problem = BatchProblem("invalid_input", "oss: AccessDenied")
            self._fail(batch, problem)
        else:
            super()._decide(batch)
