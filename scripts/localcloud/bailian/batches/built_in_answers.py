"""The built-in answers: fixed for the test model, derived from the request for every other.

A marker in a chat row's last user message, or in an embedding's input, makes that row fail:

- ``[[fail:CODE]]``: error file, ``response`` null and ``error.code`` CODE, counted as failed;
- ``[[refuse:400]]``: error file, ``response.status_code`` 400 and the error in its body, counted as
  failed;
- ``[[status:429]]``: output file, ``response.status_code`` 429, counted as completed (seen in the
  real service);
- ``[[lost]]``: neither file, counted as completed.

``[[say]]`` makes what follows it in a chat row's last user message the answer. A row that asks for
``response_format`` ``json_object`` gets the first JSON object of that message, which shows the
form: for ``extract`` with a value for each field, for ``classify`` with one of the labels. For
``translate`` the answer is the text behind a mark. Like the real service, this one refuses a row
for JSON if the word "JSON" is in no message (https://help.aliyun.com/zh/model-studio/json-mode).
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.ports.profile import EMBEDDINGS
from shared.providers.bailian.profile import TEST_MODEL
from shared.recipes.tasks.prompts import Language, ask_for_translation

TEST_RESULT = "This is a test result."
NO_JSON_WORD = (
    "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
)
_SAY = "[[say]]"
_CHOICE = re.compile(r"^- ([^\n：:]+)", re.MULTILINE)
# How ``shared.recipes.tasks.prompts`` shows a text that is to be found, and lists what it may be.
_SOME_TEXT = "…"
_ONE_OF = r"^- {}(?:：只能是其中之一：|: one of: )(.+)$"
_LANGUAGES: Mapping[Language, str] = {"zh": "内容：", "en": "Text:"}
_TRANSLATION = re.compile(
    "|".join(
        re.escape(ask_for_translation("\0", language)).replace("\0", "(.+?)") + rf"\n\n{mark}\n(.*)"
        for language, mark in _LANGUAGES.items()
    ),
    re.DOTALL,
)
_MARKER = re.compile(r"\[\[(?:(fail):([^\]\s]{1,64})|(status|refuse):([1-5]\d\d)|(lost))\]\]")


@dataclass(frozen=True)
class Request:
    """One line of an input file that passed validation."""

    custom_id: str
    url: str
    body: Mapping[str, Any]

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))


@dataclass(frozen=True)
class Answer:
    """One request's answer: which of ``response`` and ``error`` is set, and the file it goes to."""

    response: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    in_error_file: bool = False
    is_lost: bool = False


def answer_for(content: str) -> str:
    """What the local Bailian answers to a chat row with this last user message."""
    if _SAY in content:
        return content.partition(_SAY)[2]
    if found := _TRANSLATION.fullmatch(content):
        to, text = (each for each in found.groups() if each is not None)
        return f"[test: {to}] {text}"
    return f"answer({_digest(content).hex()[:8]}): {content[:40]}"


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


def built_in_answer(request: Request, created: int) -> Answer:
    """The answer to one row; ``created`` is in epoch seconds, as the service tells it."""
    marker = _MARKER.search(prompt_of(request))
    if marker:
        return _marked_answer(marker)
    if request.url == EMBEDDINGS:
        return ok(_embedding_body(request))
    if _lacks_json_word(request):
        error = {"code": "invalid_parameter_error", "message": NO_JSON_WORD}
        return Answer(response=response_of(400, {"error": error}), in_error_file=True)
    return _chat_answer(request, created)


def _wants_json(request: Request) -> bool:
    wanted = request.body.get("response_format")
    return isinstance(wanted, dict) and wanted.get("type") == "json_object"


def _lacks_json_word(request: Request) -> bool:
    return _wants_json(request) and "json" not in str(request.body.get("messages")).lower()


def prompt_of(request: Request) -> str:
    """The text that decides the answer: the last user message, or the embedding's input."""
    if request.url == EMBEDDINGS:
        return "\n".join(_inputs(request))
    messages = request.body.get("messages")
    for message in reversed(messages if isinstance(messages, list) else []):
        if isinstance(message, dict) and message.get("role") == "user":
            return _text_of(message.get("content"))
    return ""


def ok(body: Mapping[str, Any]) -> Answer:
    return Answer(response=response_of(200, body))


def response_of(status: int, body: Mapping[str, Any], request_id: str | None = None) -> dict[str, Any]:
    return {"status_code": status, "request_id": request_id or str(uuid.uuid4()), "body": body}


def _marked_answer(marker: re.Match[str]) -> Answer:
    fail, code, status_word, status, _lost = marker.groups()
    if fail:
        return Answer(error={"code": code, "message": f"The row asked to fail: {code}."}, in_error_file=True)
    if status_word:
        return failed_answer(int(status), in_error_file=status_word == "refuse")
    return Answer(is_lost=True)


def failed_answer(status: int, *, in_error_file: bool) -> Answer:
    """A row that the model service answered with ``status``."""
    code = "limit_requests" if status == 429 else "InternalError" if status >= 500 else "InvalidParameter"
    body = {"error": {"code": code, "message": f"The row asked for status {status}."}}
    return Answer(response=response_of(status, body), in_error_file=in_error_file)


def _chat_answer(request: Request, created: int) -> Answer:
    # As recorded, a completion's id is made of the id of its request.
    request_id = str(uuid.uuid4())
    if request.model == TEST_MODEL:
        # The real test model leaves out the role, and always counts 20/6/26 tokens.
        message, prompt_tokens, completion_tokens = {"content": TEST_RESULT}, 20, 6
    else:
        content = (json_answer_for if _wants_json(request) else answer_for)(prompt_of(request))
        message = {"role": "assistant", "content": content}
        prompt_tokens, completion_tokens = 1 + len(prompt_of(request)) // 4, 1 + len(content) // 4
    body = {
        "created": created,
        "usage": _usage(prompt_tokens, completion_tokens),
        "model": request.model,
        "id": f"chatcmpl-{request_id}",
        "choices": [{"finish_reason": "stop", "index": 0, "message": message}],
        "object": "chat.completion",
    }
    return Answer(response=response_of(200, body, request_id))


def _embedding_body(request: Request) -> dict[str, Any]:
    wanted = request.body.get("dimensions")
    dimensions = wanted if isinstance(wanted, int) and 0 < wanted <= 4096 else 8
    inputs = _inputs(request)
    vectors = [
        {"object": "embedding", "index": index, "embedding": embedding_for(text, dimensions)}
        for index, text in enumerate(inputs)
    ]
    tokens = sum(1 + len(text) // 4 for text in inputs)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {
        "data": vectors,
        "model": request.model,
        "object": "list",
        "usage": usage,
        "id": str(uuid.uuid4()),
    }


def _usage(prompt: int, completion: int) -> dict[str, int]:
    return {"completion_tokens": completion, "prompt_tokens": prompt, "total_tokens": prompt + completion}


def _inputs(request: Request) -> list[str]:
    given = request.body.get("input")
    return [str(item) for item in given] if isinstance(given, list) else [str(given)]


def _text_of(content: object) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
