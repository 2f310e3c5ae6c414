"""What the built-in answers say: derived from the prompt, the same every time.

``[[say]]`` makes what follows it in a chat row's last user message the answer. A row that asks for
``response_format`` ``json_object`` gets the first JSON object of that message, which shows the
form: for ``extract`` with a value for each field, for ``classify`` with one of the labels. So do
the rows of these two tasks whose model has no such format. For ``translate`` the answer is the text
behind a mark.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from shared.recipes.tasks.prompts import Language, ask_for_translation

_SAY = "[[say]]"
_CHOICE = re.compile(r"^- ([^\n：:]+)", re.MULTILINE)
# How ``shared.recipes.tasks.prompts`` shows a text that is to be found, and lists what it may be.
_SOME_TEXT = "…"
_ONLY_JSON = re.compile(
    r"只输出 JSON，不要解释，格式为 \{|Answer with JSON only, without any explanation, in the form \{"
)
_ONE_OF = r"^- {}(?:：只能是其中之一：|: one of: )(.+)$"
_LANGUAGES: Mapping[Language, str] = {"zh": "内容：", "en": "Text:"}
_TRANSLATION = re.compile(
    "|".join(
        re.escape(ask_for_translation("\0", language)).replace("\0", "(.+?)") + rf"\n\n{mark}\n(.*)"
        for language, mark in _LANGUAGES.items()
    ),
    re.DOTALL,
)


def answer_for(content: str) -> str:
    """What the local Bailian answers to a chat row with this last user message."""
    if _SAY in content:
        return content.partition(_SAY)[2]
    if found := _TRANSLATION.fullmatch(content):
        to, text = (each for each in found.groups() if each is not None)
        return f"[test: {to}] {text}"
    return f"answer({_digest(content).hex()[:8]}): {content[:40]}"


def asks_for_json(content: str) -> bool:
    """Whether this is what ``classify`` or ``extract`` ask."""
    return _ONLY_JSON.search(content) is not None


def json_answer_for(content: str) -> str:
    """The same for a row that wants a JSON object."""
    if _SAY in content:
        return answer_for(content)
    shape = _first_object(content) or {"answer": answer_for(content)}
    asked = content.partition("{")[0]
    choices = _CHOICE.findall(asked)
    if _SOME_TEXT not in str(shape) and len(shape) == 1 and choices:
        shape = dict.fromkeys(shape, _one_of(choices, content))
    found = {name: _found_for(name, shown, asked, content) for name, shown in shape.items()}
    return json.dumps(found, ensure_ascii=False)


def thought_for(content: str) -> str:
    """What stands before the answer where a row asks for thinking."""
    return f"thought({_digest(content).hex()[:8]})"


def _found_for(name: str, shown: object, asked: str, content: str) -> object:
    """What is found for a field of ``extract``; anything else stays as it was shown."""
    if isinstance(shown, list):
        return [_found_for(name, each, asked, content) for each in shown]
    if shown != _SOME_TEXT:
        return shown
    listed = re.search(_ONE_OF.format(re.escape(name)), asked, re.MULTILINE)
    if listed:
        return _one_of(re.split("、|, ", listed[1]), content)
    return f"test {name} {_digest(content).hex()[:4]}"


def _one_of(choices: Sequence[str], content: str) -> str:
    return choices[_digest(content)[0] % len(choices)]


def _digest(content: str) -> bytes:
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()


def _first_object(text: str) -> dict[str, Any]:
    start = text.find("{")
    try:
        found, _ = json.JSONDecoder().raw_decode(text, start) if start >= 0 else ({}, 0)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def embedding_for(text: str, dimensions: int = 8) -> list[float]:
    """The vector of the local Bailian for this input: between -1 and 1, exact in JSON."""
    stream = hashlib.shake_256(text.encode("utf-8", "surrogatepass")).digest(dimensions)
    return [byte / 128 - 1 for byte in stream]


# What a chat's template puts around each message.
TOKENS_AROUND = 5


def tokens_written(text: str) -> int:
    """Of an answer."""
    return 1 + len(text) // 4


def tokens_read(text: str) -> int:
    """About what models count, so that a quote is no surprise here either.

    English has a token in about four letters, Chinese one in about 1.3 characters.
    """
    return 1 + len(text.encode("utf-8", "surrogatepass")) // 4
