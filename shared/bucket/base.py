"""What every record and ticket is: a frozen model that is JSON on disk, and says who made it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict

from shared import VERSION

# Records from before 26.11 name no provider: then there was only this one.
FIRST_PROVIDER = "bailian"


class RecordPart(BaseModel):
    """What records consist of. Unknown fields are ignored: a roll-back can read newer ones."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Record(RecordPart):
    """One object in the bucket, read by any later version.

    ``made_by`` is the version that wrote these bytes; records from before 26.11 do not say.
    """

    made_by: str = ""

    def to_bytes(self) -> bytes:
        stamped = self.model_copy(update={"made_by": VERSION})
        return stamped.model_dump_json(indent=1).encode()


def total_counts(counters: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The sum of several counts by name, in the order of the names."""
    total: Counter[str] = Counter()
    for each in counters:
        total.update(each)
    return dict(sorted(total.items()))
