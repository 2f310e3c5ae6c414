"""What is odd in TOS's operations on one object."""

from __future__ import annotations

from scripts.localcloud.storage_http.answer import Answer
from scripts.localcloud.storage_http.hosted import objects
from scripts.localcloud.tos.oddities import Oddity
from scripts.localcloud.tos.wire.call import Call


def delete_object(call: Call) -> Answer:
    if Oddity.NOTHING_TO_DELETE in call.oddities:
        call.open()[1].close()
    return objects.delete_object(call)
