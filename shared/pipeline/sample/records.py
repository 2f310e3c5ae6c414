"""The records of a sample: who asks a group of rows, what they were answered, what all came to."""

from __future__ import annotations

from datetime import datetime

from shared.bucket.base import Record, RecordPart
from shared.money.quotes.sample import SampleFigures


class SampleClaim(Record):
    """A run asks this group of rows, or has left it to the batch; nobody else ever asks it.

    Attributes:
        token: Names the run.
        why: Why it is left to the batch, as of ``SampleGroup``; ``""`` if it is asked.
    """

    token: str
    claimed_at: datetime
    why: str = ""


class KeptReply(RecordPart):
    """What one sampled row is given instead of being sent.

    Attributes:
        line: A result line, as those of batches.
        prompt: Tokens as the provider counted them; ``output`` with what was thought.
        estimate: Of the request's tokens; ``size_bytes`` is its length.
        is_unknown: It may have been charged, and nobody knows what was answered.
    """

    shard: int
    line: str
    estimate: int = 0
    size_bytes: int = 0
    prompt: int = 0
    output: int = 0
    is_unknown: bool = False


class SampleGroup(Record):
    """What a group of rows came to; whoever wrote it first has decided it.

    Rows that are not in ``replies`` were not run: the batch has them.

    Attributes:
        asked: How many rows were asked.
        why: Why no further group is asked, as the code of a message; else ``""``.
        said: The provider's words for it.
    """

    replies: tuple[KeptReply, ...] = ()
    asked: int = 0
    why: str = ""
    said: str = ""

    @property
    def shards(self) -> set[int]:
        return {each.shard for each in self.replies}


class Sample(Record):
    """What the whole sample came to. Its job has no ticket before it.

    Attributes:
        groups: For each, of which shards it has replies.
        said: The provider's words, if somebody must act before it answers single requests.
        known: What is charged for sure, and ``perhaps`` beside it, in millionths.
    """

    figures: SampleFigures
    groups: tuple[tuple[int, ...], ...] = ()
    said: str = ""
    known: int = 0
    perhaps: int = 0
