"""Files that were dropped a moment ago, of which nothing is decided yet."""

from __future__ import annotations

from datetime import timedelta
from heapq import nlargest

from scripts.operate.access import OpenBucket
from shared.bucket.keys import INBOX
from shared.inputs.inbox_keys import KeyRole, key_role_for
from shared.pipeline.page.files.file_job import JobState
from shared.pipeline.page.files.look_at_file import LookAtFile, OpenJobs
from shared.ports.clock import Clock

# What lies there longer is no news; whether anything listens, `run` and the board say.
_RECENT = timedelta(hours=1)
# Each costs a few requests.
_MOST_FILES = 50


def being_checked(bucket: OpenBucket, clock: Clock) -> int:
    """How many there are of the newest files."""
    since = clock.now() - _RECENT
    recent = (
        head
        for head in bucket.store.list(INBOX)
        if head.modified_at > since and key_role_for(head.key) is KeyRole.INPUT
    )
    newest = nlargest(_MOST_FILES, recent, key=lambda head: head.modified_at)
    look = LookAtFile(bucket.store, clock, bucket.name)
    nothing_open = OpenJobs(board=None)
    return sum(look.briefly(head, nothing_open).state is JobState.CHECKING for head in newest)
