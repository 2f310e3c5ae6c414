"""What the local TOS does with a request: checks its signature, looks for its bucket, runs it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.multipart import Uploads
from scripts.localcloud.storage.storage import Storage
from scripts.localcloud.storage_http.answer import Answer
from scripts.localcloud.storage_http.bodies import RequestBody
from scripts.localcloud.storage_http.permissions import Authorize
from scripts.localcloud.storage_http.request_faults import Faults
from scripts.localcloud.tos import tos_refusals
from scripts.localcloud.tos.oddities import Oddity, Races
from scripts.localcloud.tos.operations.routing import creates_bucket, run_operation
from scripts.localcloud.tos.signatures import Signatures
from scripts.localcloud.tos.wire.answers import refusal_answer
from scripts.localcloud.tos.wire.call import Call
from scripts.localcloud.tos.wire.tos_request import TosRequest, own_names, parse_request

# Of the body that a refused HEAD does not have.
_DECLARED_BYTES = 200


@dataclass(frozen=True)
class TosService:
    """``Service`` of the local TOS."""

    storage: Storage
    uploads: Uploads
    signatures: Signatures
    faults: Faults
    authorize: Authorize
    oddities: Set[Oddity]
    races: Races = field(default_factory=Races)
    name: str = "TosServer"
    header_prefix: str = "x-tos-"

    @property
    def own_name(self) -> re.Pattern[str]:
        return own_names(self.storage.region)

    def parse(self, method: str, target: str, headers: Mapping[str, str], _own: str) -> TosRequest:
        return parse_request(method, target, headers, self.storage.region)

    def answer(self, request: TosRequest, body: RequestBody, request_id: str) -> Answer:
        access_key_id = self.signatures.check(request)
        if request.bucket and not creates_bucket(request):
            self.storage.check_bucket(request.bucket)

        def check(action: str, bucket: str, key: str) -> None:
            if not self.authorize(access_key_id, action, bucket, key):
                raise refusals.access_denied(f"The caller's policies do not allow {action}.")

        call = Call(request, body, request_id, self.storage, self.uploads, self.oddities, check)
        answer = self._run(call)
        return dataclasses.replace(answer, headers={**answer.headers, "x-tos-id-2": request_id})

    def _run(self, call: Call) -> Answer:
        request = call.request
        if Oddity.OPERATION_ABORTED not in self.oddities or not request.forbids_overwrite():
            return run_operation(call)
        with self.races.alone(request.bucket, request.key) as is_alone:
            if not is_alone:
                raise tos_refusals.operation_aborted()
            return run_operation(call)

    def refuse(self, refusal: refusals.Refusal, request: TosRequest | None, request_id: str) -> Answer:
        with_ec = Oddity.TAKEN_WITHOUT_EC not in self.oddities
        answer = refusal_answer(refusal, request, request_id, with_ec=with_ec)
        if request and request.method == "HEAD" and Oddity.HEAD_WITH_LENGTH in self.oddities:
            return dataclasses.replace(answer, size_bytes=_DECLARED_BYTES)
        return answer
