"""Runs the operation that a request asks for, if the caller may, and refuses what is not there."""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass
from typing import Generic, TypeVar

from scripts.localcloud.storage import refusals
from scripts.localcloud.storage_http.answer import Answer
from scripts.localcloud.storage_http.hosted.call import HostedCall
from scripts.localcloud.storage_http.routing import Row, Tables

CallT = TypeVar("CallT", bound=HostedCall)


@dataclass(frozen=True)
class Dispatch(Generic[CallT]):
    """A service's operations, and what else it takes.

    Attributes:
        of_signatures: Parameters that every operation takes.
        known_headers: Those of the service's own that are emulated.
        defaults: Names and values that hold anyway, or change nothing here.
    """

    tables: Tables[CallT]
    of_signatures: re.Pattern[str]
    known_headers: re.Pattern[str]
    defaults: Set[tuple[str, str]] = frozenset()

    def run(self, call: CallT) -> Answer:
        """Find the operation, its bucket and key checked, and run it if the caller may.

        Raises:
            Refusal: 400 for an impossible name, 501 for what is not emulated, 403 without
                permission.
        """
        row = self._operation_for(call)
        if row.action:
            request = call.request
            call.check(row.action, request.bucket, request.key or request.query.get("prefix", ""))
        return row.operation(call)

    def _operation_for(self, call: CallT) -> Row[CallT]:
        request = call.request
        row = self.tables.find(request)
        if row is None:
            marks = [f"?{name}" for name in request.query]
            raise refusals.not_implemented(" ".join([request.method, *marks]))
        self._check_known(call, row)
        return row

    def _check_known(self, call: CallT, row: Row[CallT]) -> None:
        """Refuse what would change the operation if the service got it."""
        request = call.request
        for name, value in sorted(request.query.items()):
            is_known = row.knows(name) or self.of_signatures.fullmatch(name)
            if not is_known and (name, value) not in self.defaults:
                raise refusals.not_implemented(f"?{name} here")
        for name, value in sorted(request.headers.items()):
            is_own = name.startswith(request.prefix) and not self.known_headers.fullmatch(name)
            if is_own and (name, value) not in self.defaults:
                raise refusals.not_implemented(f"the header {name}")
