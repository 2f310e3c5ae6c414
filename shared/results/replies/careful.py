"""Reads a result line whatever is odd about it, and leaves out nothing that it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.formats.json.policies import parse_lenient
from shared.problems.problem import Problem
from shared.problems.render import render_both
from shared.results.columns import CODES_OF_ANSWERS, COLUMNS, NUMBERS, TAKEN, Answer, Parts, RowStatus
from shared.results.replies.forms.other_forms import holds_ended_text
from shared.results.replies.forms.parts import (
    AROUND,
    BODY_KEYS,
    LINE_KEYS,
    RESPONSE_KEYS,
    USAGE_KEYS,
    VECTORS_KEYS,
    gathered,
    integer,
    is_nothing,
    mapping,
    text,
    unknown_in,
    with_id,
)
from shared.results.replies.reasons import Told, error_in, told_in
from shared.results.replies.reply import Reply, reply_in
from shared.results.replies.sent_again import CODES_OF_REASONS, OWN_CODES, is_sent_again


def read_carefully(line: bytes) -> Answer | None:
    """The same as the quick readers for what they know, and the best that can be made of the rest.

    An answer was paid for, so sloppy JSON is read, too: ``NaN``, lone surrogates, raw control
    characters, repeated keys (the last one counts) and, as U+FFFD, bytes that are no UTF-8. Not
    so what is nested more than 500 levels deep. The key of the id may have another spelling.
    """
    try:
        document = parse_lenient(line.decode(errors="replace").strip(AROUND))
    except (ValueError, RecursionError):
        return None
    document = with_id(document) if isinstance(document, dict) else None
    if document is None:
        return None
    reply = reply_in(document)
    told = _told_by(reply)
    if reply.holds_answer:
        return _answered(reply, _code_of_answer(reply, told), told)
    if reply.has_failed or told or not reply.chat.is_empty_by_choice:
        return _refused(reply, told)
    return _answered(reply, "answer_empty", told)


def _told_by(reply: Reply) -> Told:
    """The provider's words. Beside choices only an error is one; there may be other sentences."""
    body = reply.body
    if isinstance(body, dict):  # an error in it may have keys of the same names
        body = unknown_in(body, _body_keys(reply))
    if reply.has_failed:
        return reply.error + told_in(body)
    if not reply.chat.is_there:
        told = told_in(body)
        # Without words a type is that of the reply, if the reply says why it ended.
        is_reason = not told.message and reply.chat.finish_reason in CODES_OF_REASONS
        return Told(more=mapping(body)) if is_reason else told
    others = {**mapping(body)}
    own = error_in(others.pop("error", None))
    return (own + reply.chat.told)._replace(more={**others, **own.more})


def _code_of_answer(reply: Reply, told: Told) -> str:
    if reply.chat.is_refusal:
        return "model_refused"
    if reply.has_failed or told:
        return "answer_with_error"
    return "answer_in_other_form" if reply.was_other else ""


def _answered(reply: Reply, code: str, told: Told) -> Answer:
    beside = {"error": reply.document.get("error")} if reply.error else {}
    answer = _columns(reply, gathered(body=unknown_in(mapping(reply.body), _body_keys(reply)), line=beside))
    if not code:
        return answer
    said = ": ".join(filter(None, (told.code or str(reply.status_code or ""), told.message)))
    problem = Problem(code, values={"error": said})
    return answer._replace(error_code=code, error_message=render_both(problem))


def _refused(reply: Reply, told: Told) -> Answer:
    if told.code and told.code in CODES_OF_ANSWERS:
        # A provider's word that would make an answer of the refusal.
        told = told._replace(code="", more={"code": told.code, **told.more})
    code, is_again = told.code, False
    own = "" if reply.has_failed else _own_code(reply)
    if code or not own:
        code = code or str(reply.status_code or "unknown")
        is_again = is_sent_again(code, reply.status_code, is_written=_is_written(reply))
    else:
        code, is_again = own, OWN_CODES[own]
    message = told.message or (_own_words(own, reply.chat.finish_reason) if own else "")
    if not (message or told.code):
        message = _own_words("unknown")
    answer = _columns(reply, told.more)
    is_expired = "expired" in code.lower()
    return answer._replace(
        status=RowStatus.EXPIRED if is_expired else RowStatus.REFUSED,
        error_code=code, error_message=message, retryable=is_again,
    )  # fmt: skip


def _is_written(reply: Reply) -> bool:
    """Whether the reply holds what was paid for, and would be lost."""
    is_thought = bool(reply.chat.message.get("reasoning_content"))
    return reply.holds_answer or is_thought or holds_ended_text(mapping(reply.body))


def _own_code(reply: Reply) -> str:
    if is_nothing(reply.body):
        return "empty_body"
    code = CODES_OF_REASONS.get(reply.chat.finish_reason, "no_answer")
    return "no_answer" if code == "answer_interrupted" and _has_begun(reply) else code


def _has_begun(reply: Reply) -> bool:
    """Whether the model wrote anything that may be paid for, thinking included; yes if unsure."""
    usage = mapping(mapping(reply.body).get("usage"))
    counts = (integer(usage.get(key)) for key in ("completion_tokens", "output_tokens"))
    is_thought = bool(reply.chat.message.get("reasoning_content") or reply.chat.more)
    return not reply.chat.is_there or is_thought or any(counts)


def _own_words(code: str, finish_reason: str = "") -> str:
    return render_both(Problem(code, values={"finish_reason": finish_reason or "-"}))


def _body_keys(reply: Reply) -> frozenset[str]:
    if reply.is_vectors:
        return VECTORS_KEYS
    return BODY_KEYS if reply.chat.is_there else BODY_KEYS - {"choices"}


def _columns(reply: Reply, body_more: Mapping[str, Any]) -> Answer:
    """All columns of the reply, and in ``extra`` whatever has none."""
    body, chat = mapping(reply.body), reply.chat
    parts: Parts = (reply.response, body, mapping(body.get("usage")), chat.choice, chat.message)
    values: dict[str, Any] = {}
    odd: dict[str, Any] = {}
    for name, (part, key) in TAKEN.items():
        value = parts[part].get(key)
        if COLUMNS[name].is_json:
            shown: Any = text(mapping(value) or None)
        else:
            shown = integer(value) if name in NUMBERS else text(value)
        values[name] = shown
        if shown in (None, "") and not is_nothing(value):
            odd[key] = value
    values["status_code"] = reply.status_code
    if usage := unknown_in(mapping(body.get("usage")), USAGE_KEYS):
        odd["usage"] = usage
    values["request_id"] = _request_id(reply)
    more = gathered(
        message=chat.more, body=body_more, response=unknown_in(reply.response, RESPONSE_KEYS),
        line=unknown_in(reply.document, LINE_KEYS), value=odd,
    )  # fmt: skip
    extra = text(more) if more else ""
    return Answer(reply.custom_id, RowStatus.ANSWERED, chat.shown, extra=extra, **values)


def _request_id(reply: Reply) -> str:
    body = mapping(reply.body)
    return text(reply.response.get("request_id")) or text(body.get("id")) or text(body.get("request_id"))
