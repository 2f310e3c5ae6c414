"""The local TOS as a service: its names, its oddities and its refusals."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from scripts.localcloud.storage import refusals
from scripts.localcloud.storage_http.answer import Answer
from scripts.localcloud.storage_http.hosted.call import Check
from scripts.localcloud.storage_http.hosted.request import Hosts
from scripts.localcloud.storage_http.hosted.service import HostedService
from scripts.localcloud.storage_http.incoming.bodies import RequestBody
from scripts.localcloud.tos import tos_refusals
from scripts.localcloud.tos.oddities import Oddity, Races
from scripts.localcloud.tos.operations.routing import DISPATCH
from scripts.localcloud.tos.wire.answers import refusal_answer
from scripts.localcloud.tos.wire.call import Call
from scripts.localcloud.tos.wire.tos_request import TosRequest, hosts_of

# Of the body that a refused HEAD does not have.
_DECLARED_BYTES = 200


@dataclass(frozen=True)
class TosService(HostedService[TosRequest]):
    """``Service`` of the local TOS."""

    races: Races = field(default_factory=Races)
    name: ClassVar[str] = "TosServer"
    header_prefix: ClassVar[str] = TosRequest.prefix

    @property
    def hosts(self) -> Hosts:
        return hosts_of(self.storage.region)

    def parse(self, method: str, target: str, headers: Mapping[str, str], _own: str) -> TosRequest:
        return self.hosts.parse(TosRequest, method, target, headers)

    def run(self, request: TosRequest, body: RequestBody, request_id: str, check: Check) -> Answer:
        call = Call(request, body, request_id, self.storage, self.uploads, check, self.oddities)
        answer = self._run(call)
        return dataclasses.replace(answer, headers={**answer.headers, "x-tos-id-2": request_id})

    def _run(self, call: Call) -> Answer:
        request = call.request
        if Oddity.OPERATION_ABORTED not in self.oddities or not request.forbids_overwrite():
            return DISPATCH.run(call)
        with self.races.alone(request.bucket, request.key) as is_alone:
            if not is_alone:
                raise tos_refusals.operation_aborted()
            return DISPATCH.run(call)

    def refuse(self, refusal: refusals.Refusal, request: TosRequest | None, request_id: str) -> Answer:
        with_ec = Oddity.TAKEN_WITHOUT_EC not in self.oddities
        answer = refusal_answer(refusal, request, request_id, with_ec=with_ec)
        if request and request.method == "HEAD" and Oddity.HEAD_WITH_LENGTH in self.oddities:
            return dataclasses.replace(answer, size_bytes=_DECLARED_BYTES)
        return answer
