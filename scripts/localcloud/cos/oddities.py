"""What COS may do, as its pages say; a test switches it on by name."""

from __future__ import annotations

import enum


class Oddity(enum.Enum):
    """One habit of the service."""

    LATE_LISTS = "lists show nothing of what is there: https://cloud.tencent.com/document/product/436/7734"
    FAILS_WITH_200 = "an upload's completion, and a copy of a part, fail with 200 and an error in the body"
