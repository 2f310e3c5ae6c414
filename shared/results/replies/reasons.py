"""Finds a provider's own words for why a row has no answer, wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from shared.results.replies.forms.parts import is_nothing, text

# The first that says anything. A type is wider than a code (OpenAI's "invalid_request_error"), and
# all that there is where the code is null.
_CODE_KEYS = ("code", "error_code", "errcode", "status_code", "__type", "type")
# An error is most often an object of its own; otherwise its words stand beside its code. Google's
# have details, which say less than the message: https://google.aip.dev/193
_MESSAGE_KEYS = ("message", "error_message", "error_msg", "errmsg", "msg", "status_msg", "error_description")
_LAST_KEYS = ("error", "errors", "detail", "details", "description", "title", "reason")
# What the errors of Tencent, Volcano Engine, MiniMax and Anthropic's batches stand in:
# https://cloud.tencent.com/document/api/1729/101842
# https://www.volcengine.com/docs/6369/80336
# https://platform.minimax.io/docs/api-reference/errorcode
# https://docs.anthropic.com/en/api/retrieving-message-batch-results
_WRAPPERS = ("response", "responsemetadata", "base_resp", "result")
_MAX_DEPTH = 20  # what is deeper is its own words
_SILENT = frozenset({"object", "success"})
_NO_WORD = re.compile(r"null|none|nil|undefined|n/?a|-+", re.I)
_SUCCESS = re.compile(
    r"(|0|200|ok|true|normal|no errors?|done"
    r"|((the )?(request|call|task|operation) )?(was )?"
    r"(success(ful|fully)?|succeeded|(success(ful|fully)? )?(completed|processed)( successfully)?)"
    r"|正常|(无|没有)错误|\w{0,4}(?<![不未没有分])成功(处理|完成|返回)?"
    r"|(请求|调用|操作|处理|执行|任务|已)*完成)[.!。！]?", re.I,
)  # fmt: skip


class Told(NamedTuple):
    """A code, what it means, and what else is said. Each may be empty."""

    code: str = ""
    message: str = ""
    more: Mapping[str, Any] = {}

    def __bool__(self) -> bool:
        return bool(self.code or self.message)

    def __add__(self, other: Told) -> Told:  # type: ignore[override]  # what a tuple does with +, nobody needs
        """What two places say of the same row; the first one's code counts."""
        code = self.code or other.code
        message = " / ".join(dict.fromkeys(filter(None, (self.message, other.message))))
        left = {"code": other.code} if other.code not in {"", code} else {}
        return Told(code, message, {**left, **other.more, **self.more})


def is_success(word: str) -> bool:
    return bool(_SUCCESS.fullmatch(word.strip()))


def says_success(told: Told) -> bool:
    """Whether neither code nor message says anything else, as a sentence beside a 0 may."""
    return is_success(told.code) and is_success(told.message)


def names_success(told: Told) -> bool:
    """Whether there is a code, of success; a message may say anything."""
    return bool(told.code) and is_success(told.code)


def error_in(value: Any) -> Told:
    """The same of what is called an error, which may say that there was none."""
    told = told_in(value)
    if not told and any(told.more.values()):
        return Told(message=text(value))
    is_none = value is False or (value is not True and says_success(told))
    return Told() if is_none else told


def told_in(value: Any, depth: int = 0) -> Told:
    """What an error says: a sentence, an object, or an object in an object or a list."""
    if isinstance(value, list) and len(value) == 1:
        return told_in(value[0], depth)
    if not isinstance(value, dict) or depth > _MAX_DEPTH:
        return Told(message=_word(value))
    more = {key: each for key, each in value.items() if not is_nothing(each)}
    names = {key.lower(): key for key in reversed(more)}
    key, within = _words_in(more, names, depth + 1)
    more.pop(key, None)
    code_key = next((names[each] for each in _CODE_KEYS if names.get(each) in more), None)
    code = within.code or (_word(more.pop(code_key)) if code_key else "")
    beside = {key: each for key, each in more.items() if key not in _SILENT}
    return Told(code, within.message, {**beside, **within.more})


def _word(value: Any) -> str:
    word = text(value).strip()
    return "" if is_nothing(value) or _NO_WORD.fullmatch(word) else word


def _words_in(more: Mapping[str, Any], names: Mapping[str, str], depth: int) -> tuple[str, Told]:
    """The key that holds the words, and what they are; an object without any is its own words."""
    keys = [names[each] for each in (*_MESSAGE_KEYS, *_LAST_KEYS) if each in names]
    if isinstance(more.get(names.get("error", "")), dict | list):
        keys.insert(0, names["error"])
    if keys:
        told = told_in(more[keys[0]], depth)
        return keys[0], told if told or not told.more else Told(message=text(more[keys[0]]))
    wrapped = [names[each] for each in _WRAPPERS if isinstance(more.get(names.get(each, "")), dict)]
    told_by = ((key, told_in(more[key], depth)) for key in wrapped)
    return next(((key, told) for key, told in told_by if told.message), ("", Told()))
