"""What such a service does with a request: checks its signature, looks for its bucket, runs it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Set
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Generic, Protocol, TypeVar

from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.multipart import Uploads
from scripts.localcloud.storage.storage import Storage
from scripts.localcloud.storage_http.answer import Answer
from scripts.localcloud.storage_http.hosted.call import Check
from scripts.localcloud.storage_http.hosted.request import HostedRequest, Hosts
from scripts.localcloud.storage_http.incoming.bodies import RequestBody
from scripts.localcloud.storage_http.incoming.request_faults import Faults
from scripts.localcloud.storage_http.permissions import Authorize

RequestT = TypeVar("RequestT", bound=HostedRequest)
SignedT_contra = TypeVar("SignedT_contra", bound=HostedRequest, contravariant=True)


class Signatures(Protocol[SignedT_contra]):
    """Tells a good signature from a bad one."""

    def check(self, request: SignedT_contra) -> str:
        """Return the id of the known key that the request is signed with.

        Raises:
            Refusal: 403, or 400 for what is malformed.
        """


@dataclass(frozen=True)
class HostedService(ABC, Generic[RequestT]):
    """A ``Service``, but for what its cloud calls things."""

    storage: Storage
    uploads: Uploads
    signatures: Signatures[RequestT]
    faults: Faults
    authorize: Authorize
    oddities: Set[Enum]
    name: ClassVar[str]
    header_prefix: ClassVar[str]

    @property
    @abstractmethod
    def hosts(self) -> Hosts:
        """The names that it answers as."""

    @property
    def own_name(self) -> re.Pattern[str]:
        return self.hosts.own_names

    @abstractmethod
    def parse(self, method: str, target: str, headers: Mapping[str, str], own_endpoint: str) -> RequestT: ...

    @abstractmethod
    def refuse(self, refusal: refusals.Refusal, request: RequestT | None, request_id: str) -> Answer: ...

    @abstractmethod
    def run(self, request: RequestT, body: RequestBody, request_id: str, check: Check) -> Answer:
        """Do what is asked by a known caller, of a bucket that exists or is made."""

    def page_headers(self, _: RequestT) -> Mapping[str, str]:
        """None: without CORS rules no web page may ask."""
        return {}

    def answer(self, request: RequestT, body: RequestBody, request_id: str) -> Answer:
        if request.method == "OPTIONS":
            raise refusals.not_implemented("the method OPTIONS")
        access_key_id = self.signatures.check(request)
        if request.bucket and not request.creates_bucket():
            self.storage.check_bucket(request.bucket)

        def check(action: str, bucket: str, key: str) -> None:
            if not self.authorize(access_key_id, action, bucket, key):
                raise refusals.access_denied(f"The caller's policies do not allow {action}.")

        return self.run(request, body, request_id, check)
