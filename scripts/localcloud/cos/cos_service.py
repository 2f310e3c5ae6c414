"""The local COS as a service: its names, its oddities and its refusals."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from scripts.localcloud.cos.oddities import Oddity
from scripts.localcloud.cos.operations.routing import DISPATCH
from scripts.localcloud.cos.wire.call import Call, refusal_answer
from scripts.localcloud.cos.wire.cos_request import HOSTS, CosRequest
from scripts.localcloud.storage import refusals
from scripts.localcloud.storage_http.answer import Answer
from scripts.localcloud.storage_http.hosted.call import Check
from scripts.localcloud.storage_http.hosted.request import Hosts
from scripts.localcloud.storage_http.hosted.service import HostedService
from scripts.localcloud.storage_http.incoming.bodies import RequestBody


@dataclass(frozen=True)
class CosService(HostedService[CosRequest]):
    """``Service`` of the local COS."""

    name: ClassVar[str] = "tencent-cos"
    header_prefix: ClassVar[str] = CosRequest.prefix

    @property
    def hosts(self) -> Hosts:
        return HOSTS

    def parse(self, method: str, target: str, headers: Mapping[str, str], _own: str) -> CosRequest:
        return self.hosts.parse(CosRequest, method, target, headers)

    def run(self, request: CosRequest, body: RequestBody, request_id: str, check: Check) -> Answer:
        if not request.is_to(self.storage.region):
            raise refusals.no_such_bucket()
        if Oddity.FAILS_WITH_200 in self.oddities and _answers_late(request):
            error = refusals.Refusal(200, "InternalError", "We encountered an internal error.")
            return refusal_answer(error, request, request_id)
        call = Call(request, body, request_id, self.storage, self.uploads, check, self.oddities)
        answer = DISPATCH.run(call)
        return dataclasses.replace(answer, headers={**answer.headers, "x-cos-trace-id": request_id})

    def refuse(self, refusal: refusals.Refusal, request: CosRequest | None, request_id: str) -> Answer:
        return refusal_answer(refusal, request, request_id)


def _answers_late(request: CosRequest) -> bool:
    """Whether the answer has begun before it is known whether all goes well."""
    is_copy = bool(request.own("copy-source"))
    return "uploadId" in request.query and (request.method == "POST" or is_copy)
