"""Takes a result line apart, in whichever box the reply came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from shared.formats.json.policies import parse_lenient
from shared.results.replies.forms.chats import Chat, read_chat
from shared.results.replies.forms.other_forms import in_openai_form, reason_in
from shared.results.replies.forms.parts import (
    LINE_KEYS,
    RESPONSE_KEYS,
    integer,
    is_nothing,
    mapping,
    text,
    unknown_in,
)
from shared.results.replies.forms.vectors import vectors_in, vectors_in_openai_form
from shared.results.replies.reasons import Told, error_in, names_success, says_success, told_in

_OK = 200


class Reply(NamedTuple):
    """One result line, taken apart.

    Attributes:
        body: As it came; an object if anything in it can be read.
        status_code: HTTP's, or ``None`` if the line has none.
        is_vectors: The body holds embeddings and no chat.
        was_other: The body came in another form than OpenAI's.
        error: What the line says of an error beside the reply.
    """

    document: Mapping[str, Any]
    response: Mapping[str, Any]
    body: Any
    status_code: int | None
    chat: Chat
    is_vectors: bool
    was_other: bool
    error: Told

    @property
    def custom_id(self) -> str:
        return text(self.document["custom_id"])

    @property
    def has_failed(self) -> bool:
        """Whether the line says so, with an error or with its status."""
        return bool(self.error) or not self.has_ok_status

    @property
    def has_ok_status(self) -> bool:
        status = _OK if self.status_code is None and self.chat.is_there else self.status_code
        return status is not None and status // 100 * 100 == _OK

    @property
    def holds_answer(self) -> bool:
        """Beside an error, words are one in choices, or where they say why they ended.

        Beside a code of success they are one anywhere.
        """
        is_fine = self.has_ok_status and (not self.error or names_success(self.error))
        return bool(self.chat.is_answer and (is_fine or not self.was_other or self.chat.finish_reason))


def reply_in(document: Mapping[str, Any]) -> Reply:
    beside = unknown_in(document, LINE_KEYS)
    if is_nothing(document.get("response")) and ("body" in beside or _is_body(beside)):
        response = beside if "body" in beside else {"body": beside}
        document = {key: document[key] for key in document if key not in beside} | {"response": response}
    response = _body_in(document.get("response"))
    if not isinstance(response, dict):
        response = {} if is_nothing(response) else {"body": response}
    unboxed = unknown_in(response, RESPONSE_KEYS)
    if is_nothing(response.get("body")) and _is_body(unboxed):  # some gateways leave out the box
        response = {key: value for key, value in response.items() if key in RESPONSE_KEYS} | {"body": unboxed}
    body = _body_in(response.get("body"))
    data = vectors_in(mapping(body))
    status = response.get("status_code")
    if isinstance(status, str) and status.isascii() and status.isdigit():
        status = int(status[:9])
    chat = read_chat(mapping(body), data)
    other = None if chat.is_answer else in_openai_form(mapping(body)) or vectors_in_openai_form(body)
    if other:
        body, data = other, vectors_in(other)
        chat = read_chat(other, data)
    elif not chat.is_there:
        chat = chat._replace(choice={"finish_reason": reason_in(mapping(body))})
    error = error_in(document.get("error"))
    # A server that writes whole structures has 0 where there is no status.
    return Reply(
        document, response, body, integer(status) or None, chat, data is not None, bool(other), error
    )


def _is_body(part: Mapping[str, Any]) -> bool:
    """Whether it says what became of the row; headers and the like say nothing."""
    told = told_in(part)
    return (
        not says_success(told)
        or "usage" in part
        or "choices" in part
        or bool(vectors_in(part) or in_openai_form(part))
    )


def _body_in(body: Any) -> Any:
    """The body; some gateways send it as a text of JSON, or as the only item of a list."""
    if isinstance(body, str) and body.lstrip()[:1] in {"{", "["}:
        try:
            body = parse_lenient(body.strip())
        except (ValueError, RecursionError):
            return body
    return body[0] if isinstance(body, list) and len(body) == 1 else body
