"""Questions to the provider that it may refuse because of the account, which is not the bucket's refusal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from shared.domain.errors import ConfigurationError, ProviderTrouble
from shared.domain.keys import ShardAttempt
from shared.domain.provider_troubles import waiting_for
from shared.domain.records import Submission
from shared.ports import ObjectStore
from shared.services.bucket_records import BucketRecords


@contextmanager
def asked_of_provider() -> Iterator[None]:
    """Around a call of the provider: its ``ConfigurationError`` is a ``ProviderTrouble``, of which it recovers by itself."""
    try:
        yield
    except ProviderTrouble:
        raise
    except ConfigurationError as error:
        raise ProviderTrouble(str(error)) from error


def keep_running(
    store: ObjectStore,
    now: datetime,
    unit: ShardAttempt,
    trouble: ProviderTrouble,
    submission: Submission | None = None,
) -> None:
    """Write into the ``running/`` ticket what is waited for, and ask less often; make it anew from the submission."""
    records = BucketRecords(store)
    ticket = records.find_running(unit) or (submission.running_ticket() if submission else None)
    if ticket is None:
        return
    since = ticket.waiting_for.since if ticket.waiting_for else now
    changes = {"polls": ticket.polls + 1, "waiting_for": waiting_for(trouble, since)}
    records.put_running(unit, ticket.model_copy(update=changes))
