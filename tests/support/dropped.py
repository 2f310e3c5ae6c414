"""A file that was dropped, and the functions that look at it, over ports in memory."""

from __future__ import annotations

from datetime import timedelta

from shared.events.oss import UploadedObject
from shared.ports.store import ObjectHead
from tests.support.fake_provider import ScriptedProvider
from tests.support.fakes import FixedClock, MemoryStore
from tests.support.functions import BUCKET_NAME, Functions
from tests.support.whole_job import PROMPT

TABLE = b"a,b\n1,x\n2,y\n"


class Dropped:
    """A table with a recipe beside it, which nobody has looked at yet."""

    def __init__(self, content: bytes = TABLE, name: str = "t.csv") -> None:
        self.key = f"inbox/{name}"
        self.clock = FixedClock()
        self.store = MemoryStore(self.clock)
        self.functions = Functions(self.store, ScriptedProvider(self.clock), self.clock)
        self.store.put("inbox/batch.yaml", PROMPT.encode())
        self.drop(content)

    @property
    def head(self) -> ObjectHead:
        head = self.store.head(self.key)
        assert head
        return head

    def drop(self, content: bytes) -> None:
        """Drop it once more, a minute later."""
        self.clock.advance(timedelta(minutes=1))
        self.store.put(self.key, content)

    def validate(self) -> object:
        return self.functions.validate(UploadedObject(BUCKET_NAME, self.key, self.head.etag), "run")
