"""A service for single requests as odd as the real ones, which remembers what it billed."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.bucket.attempt import JobId
from shared.ports.real_time import Asked, Reply
from shared.problems.exceptions import ProviderTrouble
from shared.providers.bailian.profile import TEST_MODEL
from tests.simulation.answers import Ask, reply_to, usage_of
from tests.simulation.kernel import Kernel
from tests.support.fake_provider import encoded, error_line, result_line

_JOB = re.compile("(?:jobs|work)/([0-9a-f]{16})/")


@dataclass(frozen=True)
class AskedRow:
    """One question, whose job is the one about which its process called last before."""

    job_id: JobId
    custom_id: str
    ask: Ask
    is_billed: bool

    @property
    def content(self) -> str:
        """What it is answered, if it is."""
        return reply_to(self.ask, may_be_cut=False)[0]


@dataclass
class Lane:
    """``RealTime``: refuses, is silent, or is down; who asks may die before or after."""

    kernel: Kernel
    rows: list[AskedRow] = field(default_factory=list)

    def answers(self, requests: Sequence[bytes], _model: str) -> list[Reply]:
        lines = [json.loads(request) for request in requests]
        found = _JOB.search(self.kernel.last_call)
        job_id = JobId(found[1] if found else "")
        about = f"{job_id}/{lines[0]['custom_id']}"
        self.kernel.call(f"ask {about}")
        if self._strikes("lane_down", about):
            self.rows += [_asked(job_id, line, is_billed=False) for line in lines]
            raise ProviderTrouble("the account is in arrears", "account_without_money")
        replies = [self._reply(job_id, line) for line in lines]
        self.kernel.call(f"answer {about}")
        return replies

    def _reply(self, job_id: JobId, line: dict[str, object]) -> Reply:
        custom_id = str(line["custom_id"])
        about = f"{job_id}/{custom_id}"
        is_refused = TEST_MODEL in json.dumps(line) or self._strikes("lane_refuses", about)
        is_silent = not is_refused and self._strikes("lane_silent", about)
        is_run = not is_refused and not (is_silent and self._strikes("lane_silent", f"{about} "))
        row = _asked(job_id, line, is_billed=is_run)
        self.rows.append(row)
        if is_refused or is_silent:
            asked = Asked.REFUSED if is_refused else Asked.UNKNOWN
            return Reply(encoded(error_line(custom_id, "Throttling")), asked)
        said = result_line(custom_id, content=row.content, usage=usage_of(row.ask))
        return Reply(encoded(said), Asked.ANSWERED)

    def _strikes(self, kind: str, where: str) -> bool:
        return self.kernel.faults.strikes(kind, where, self.kernel.now_s)


def _asked(job_id: JobId, line: dict[str, object], *, is_billed: bool) -> AskedRow:
    return AskedRow(job_id, str(line["custom_id"]), Ask.of(line), is_billed)
