"""What the local OSS does with a request: looks for its bucket, checks its signature, runs it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from scripts.localcloud.oss import oss_refusals
from scripts.localcloud.oss.auth.permissions import Caller
from scripts.localcloud.oss.auth.signed_requests import Signatures
from scripts.localcloud.oss.operations.cors_operations import page_headers
from scripts.localcloud.oss.operations.form_operations import is_form, post_object
from scripts.localcloud.oss.operations.routing import creates_bucket, run_operation
from scripts.localcloud.oss.wire.answer import Call, refusal_answer
from scripts.localcloud.oss.wire.oss_request import REGION_HOST, OssRequest, parse_request
from scripts.localcloud.servers.local_server import OWN_NAME
from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.multipart import Uploads
from scripts.localcloud.storage.storage import Storage
from scripts.localcloud.storage_http.answer import Answer
from scripts.localcloud.storage_http.incoming.bodies import RequestBody
from scripts.localcloud.storage_http.incoming.request_faults import Faults
from scripts.localcloud.storage_http.permissions import Authorize


@dataclass(frozen=True)
class OssService:
    """``Service`` of the local OSS.

    Node's SDK names the cloud's host even to an address of numbers. No stranger can make a name of
    the cloud's mean this machine.
    """

    storage: Storage
    uploads: Uploads
    signatures: Signatures
    faults: Faults
    authorize: Authorize
    name: str = "AliyunOSS"
    header_prefix: str = "x-oss-"
    own_name: re.Pattern[str] = re.compile(
        f"{OWN_NAME.pattern}|{REGION_HOST.pattern}", re.ASCII | re.IGNORECASE
    )

    def parse(self, method: str, target: str, headers: Mapping[str, str], own_endpoint: str) -> OssRequest:
        return parse_request(method, target, headers, own_endpoint)

    def answer(self, request: OssRequest, body: RequestBody, request_id: str) -> Answer:
        # The service looks for the bucket first, whoever asks for whatever in it.
        if request.bucket and not creates_bucket(request):
            self.storage.check_bucket(request.bucket)
        if request.method == "OPTIONS":
            return self._preflight(request)
        if is_form(request):  # signed within itself
            nobody = Caller("", lambda *_: False)
            call = Call(request, body, request_id, self.storage, self.uploads, nobody)
            return post_object(call, self.signatures, self.authorize)
        caller = Caller(self.signatures.check(request), self.authorize)
        return run_operation(Call(request, body, request_id, self.storage, self.uploads, caller))

    def page_headers(self, request: OssRequest) -> Mapping[str, str]:
        return page_headers(self.storage, request)

    def _preflight(self, request: OssRequest) -> Answer:
        """Source: https://alibabacloud.com/help/en/oss/developer-reference/options."""
        if not self.page_headers(request):
            raise oss_refusals.cors_not_allowed()
        return Answer()

    def refuse(self, refusal: refusals.Refusal, request: OssRequest | None, request_id: str) -> Answer:
        return refusal_answer(refusal, request, request_id)
