"""Reads the few fields of a request line that decide whether it is one like the good ones before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from shared.domain.limits import EMBEDDINGS
from shared.domain.quick_json import QuickJson, repeats_no_key

if TYPE_CHECKING:
    from simdjson import Array, Object


class RequestMode(NamedTuple):
    """What all request lines of a file have in common; a ``thinking`` of ``None`` is one that is not given."""

    url: str
    model: str
    thinking: bool | None


class QuickRequests:
    """Finds the ids of request lines that are surely good; the others are for the full checks."""

    def __init__(self) -> None:
        self._json = QuickJson()

    def find_custom_id(self, content: bytes, mode: RequestMode) -> str | None:
        """The id, still to be checked, of a request that is right in everything else; ``None`` if unsure.

        Args:
            content: One line.
            mode: Of a line that the full checks found good; only a line of the same mode is surely good.
        """
        request = self._json.find_object(content)
        if request is None:
            return None
        try:
            custom_id = request["custom_id"]
            checked = self._checked_objects(request, mode)
        except KeyError:
            return None
        if not checked or not isinstance(custom_id, str):
            return None
        return custom_id if self._json.is_strict(content, request, checked) else None

    def _checked_objects(self, request: Object, mode: RequestMode) -> int:
        """How many objects were found to repeat no key, the request itself included; 0 if something is unusual.

        Raises:
            KeyError: A field is missing.
        """
        body = request["body"]
        if (
            request["method"] != "POST"
            or request["url"] != mode.url
            or not isinstance(body, self._json.object)
        ):
            return 0
        # Exactly the four fields that are there: none of them can be there twice.
        if len(request) != 4 and not repeats_no_key([*request]):
            return 0
        keys = [*body]
        if not repeats_no_key(keys) or not _has_mode(body, keys, mode):
            return 0
        if mode.url == EMBEDDINGS:
            return 2 if body["input"] else 0
        messages = body["messages"]
        return self._checked_messages(messages) if isinstance(messages, self._json.array) else 0

    def _checked_messages(self, messages: Array) -> int:
        checked = 2
        for message in messages:
            if isinstance(message, self._json.object):
                if not repeats_no_key([*message]):
                    return 0
                checked += 1
        return checked if len(messages) else 0


def _has_mode(body: Object, keys: Sequence[str], mode: RequestMode) -> bool:
    # Asking for a key that is not there costs 3 µs, more than all the rest.
    if "extra_body" in keys or body["model"] != mode.model:
        return False
    if "enable_thinking" not in keys:
        return mode.thinking is None
    # Not ``==``, which takes 0 for ``False``.
    return mode.thinking is not None and body["enable_thinking"] is mode.thinking
