"""Reads the few fields of a request line that show whether it is like the good ones before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from shared.formats.json.quick import QuickJson
from shared.inputs.requests.chat_messages import are_surely_good, is_input
from shared.inputs.requests.line_shapes import LineShape, find_shape
from shared.money.tokens.line_parameters import MORE, PARAMETERS
from shared.ports.profile import EMBEDDINGS, RequestRules

if TYPE_CHECKING:
    from simdjson import Object


_NOT_GIVEN = object()
_BARE = {"custom_id", "body"}
# In these keys the service may be told to read more than texts.
_MORE_IN_CHAT, _MORE_TO_EMBED = MORE | {"input"}, MORE | {"messages"}


class RequestMode(NamedTuple):
    """What all request lines of a file share; ``thinking`` is ``None`` if it is not given."""

    url: str
    model: str
    thinking: bool | None


# Where every line has its own shape, looking for one is in vain.
_LINES_BETWEEN_SHAPES = 50


class QuickRequests:
    """Finds the ids of request lines that are surely good; the others need the full checks.

    Attributes:
        shape: Of the last line, if it has the one that is known.
        said: What the last line says of ``PARAMETERS``, if it was read and holds nothing but texts.
    """

    def __init__(self, rules: RequestRules) -> None:
        self._roles = rules.roles
        self._is_addressed = rules.form.is_addressed
        self._not_in_bare_bodies = frozenset({"model", *rules.foreign_parameters})
        self._json = QuickJson()
        self._containers = (self._json.object, self._json.array)
        self.shape: LineShape | None = None
        self.said: Mapping[str, Any] | None = None
        self._shape: LineShape | None = None
        self._shape_mode: RequestMode | None = None
        self._lines_to_next_shape = 0

    def find_custom_id(self, line: bytes, mode: RequestMode) -> str | None:
        """The id, still to be checked, of an otherwise good request; ``None`` if unsure.

        Args:
            line: With or without its line end.
            mode: Of a line that the full checks found good; a line of another mode is unsure.
        """
        self.shape = self.said = None
        if self._shape and mode is self._shape_mode:
            custom_id = self._find_by_shape(line, self._shape)
            if custom_id is not None:
                self.shape = self._shape
                return custom_id
        custom_id = self._read(line, mode)
        if custom_id is not None and self._lines_to_next_shape == 0:
            self._learn_shape(line, mode, custom_id)
        else:
            self._lines_to_next_shape -= self._lines_to_next_shape > 0
        return custom_id

    def _find_by_shape(self, line: bytes, shape: LineShape) -> str | None:
        parts = shape.find_parts(line)
        if parts is None:
            return None
        custom_id, text = parts
        if not self._json.is_one_text(text):
            return None
        try:
            name = custom_id.decode()
        except UnicodeDecodeError:
            return None
        # An unprintable id may hold a control character, which JSON forbids: the parser must say.
        return name if name.isprintable() else None

    def _learn_shape(self, line: bytes, mode: RequestMode, custom_id: str) -> None:
        """Keep the line's shape if its id is where the shape has one.

        A nested ``custom_id`` may equal the line's own, so another id must prove the shape.
        """
        self._lines_to_next_shape = _LINES_BETWEEN_SHAPES
        shape = find_shape(line)
        parts = shape.find_parts(line) if shape else None
        if shape is None or parts is None or parts[0] != custom_id.encode():
            return
        other_id = "-" if custom_id == "~" else "~"
        if self._read(shape.with_id(other_id.encode()), mode) == other_id:
            self._shape, self._shape_mode = shape, mode

    def _read(self, line: bytes, mode: RequestMode) -> str | None:
        request = self._json.find_object(line)
        if request is None:
            return None
        try:
            custom_id, body = request["custom_id"], request["body"]
            if self._is_addressed:
                is_in_form = request["method"] == "POST" and request["url"] == mode.url
            else:
                is_in_form = {*request} == _BARE
            if not is_in_form or not isinstance(custom_id, str):
                return None
            if not isinstance(body, self._json.object) or not self._is_good_body(body, mode):
                return None
            is_strict = self._json.is_strict(request)
        except KeyError:  # a field is missing
            return None
        return custom_id if is_strict else None

    def _is_good_body(self, body: Object, mode: RequestMode) -> bool:
        keys = [*body]
        # Asking for a key that is not there costs 3 µs, more than parsing the line.
        if "extra_body" in keys or "stream" in keys:
            return False
        if self._is_addressed:
            # Not ``==``, which takes 0 for ``False``; a null is as wrong as a number.
            thinking = body["enable_thinking"] if "enable_thinking" in keys else _NOT_GIVEN
            if thinking is not (_NOT_GIVEN if mode.thinking is None else mode.thinking):
                return False
            if body["model"] != mode.model:
                return False
        elif not self._not_in_bare_bodies.isdisjoint(keys):
            return False
        others: list[object] = []
        if mode.url == EMBEDDINGS:
            is_good, more = is_input(body["input"], self._json.array), _MORE_TO_EMBED
        else:
            messages, array, more = body["messages"], self._json.array, _MORE_IN_CHAT
            is_good = isinstance(messages, array) and are_surely_good(messages, self._roles, array, others)
        if not others and more.isdisjoint(keys):
            self.said = self._said(body, keys)
        return is_good

    def _said(self, body: Object, keys: list[str]) -> Mapping[str, Any] | None:
        said = {name: body[name] for name in keys if name in PARAMETERS}
        for value in said.values():
            if isinstance(value, self._containers):
                return None
        return said
