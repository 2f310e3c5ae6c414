"""The built-in answers: fixed for the test model, derived from the request for every other.

A marker in a chat row's last user message, or in an embedding's input, makes that row fail:

- ``[[fail:CODE]]``: error file, ``response`` null and ``error.code`` CODE, counted as failed;
- ``[[refuse:400]]``: error file, ``response.status_code`` 400 and the error in its body, counted as
  failed;
- ``[[status:429]]``: output file, ``response.status_code`` 429, counted as completed (seen in the
  real service);
- ``[[lost]]``: neither file, counted as completed.

A row that asks again (``until_fits``) is answered as it was at first, but for ``[[misfit]]``: it
makes the first answer one that is no JSON. ``max_tokens`` bounds an answer, and
``max_completion_tokens`` that with what was thought before it.

What the others say stands in ``built_in_texts``. Like the real service, this one refuses a row for
JSON if the word "JSON" is in no message, or if it is to think
(https://help.aliyun.com/zh/model-studio/json-mode).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from itertools import count
from typing import Any, NamedTuple

from scripts.localcloud.answers.built_in_texts import (
    TOKENS_AROUND,
    answer_for,
    asks_for_json,
    embedding_for,
    json_answer_for,
    thought_for,
    tokens_read,
    tokens_written,
)
from shared.ports.profile import EMBEDDINGS
from shared.providers.bailian.profile import TEST_MODEL
from shared.results.again.request_lines import ASKING_AGAIN

TEST_RESULT = "This is a test result."
NO_JSON_WORD = (
    "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
)
NO_JSON_WHEN_THINKING = "Json mode response is not supported when enable_thinking is true"
_MISFIT, NO_FIT = "[[misfit]]", "This answer does not fit."
_AGAIN = tuple(text.partition("{")[0] for said in ASKING_AGAIN for text in (said.zh, said.en))
_OURS, _numbers = str(uuid.uuid4())[:-12], count()
_MARKER = re.compile(r"\[\[(?:(fail):([^\]\s]{1,64})|(status|refuse):([1-5]\d\d)|(lost))\]\]")


class Request(NamedTuple):
    """One line of an input file that passed validation."""

    custom_id: str
    url: str
    body: Mapping[str, Any]

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))

    @property
    def thinks(self) -> bool:
        """Only if told to: which models do so by themselves is not known here."""
        return self.body.get("enable_thinking") is True


class Answer(NamedTuple):
    """One request's answer: which of ``response`` and ``error`` is set, and the file it goes to."""

    response: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    in_error_file: bool = False
    is_lost: bool = False


def built_in_answer(request: Request, created: int) -> Answer:
    """The answer to one row; ``created`` is in epoch seconds, as the service tells it."""
    prompt = prompt_of(request)
    if "[[" in prompt and (marker := _MARKER.search(prompt)):
        return _marked_answer(marker)
    if request.url == EMBEDDINGS:
        return ok(_embedding_body(request))
    wants_json = _wants_json(request)
    if refused := wants_json and _why_no_json(request):
        error = {"code": "invalid_parameter_error", "message": refused}
        return Answer(response=response_of(400, {"error": error}), in_error_file=True)
    return _chat_answer(request, prompt, created, wants_json=wants_json)


def _wants_json(request: Request) -> bool:
    wanted = request.body.get("response_format")
    return isinstance(wanted, dict) and wanted.get("type") == "json_object"


def _why_no_json(request: Request) -> str:
    if request.thinks:
        return NO_JSON_WHEN_THINKING
    return "" if "json" in str(request.body.get("messages")).lower() else NO_JSON_WORD


def prompt_of(request: Request) -> str:
    """The text that decides the answer: the last user message, or the embedding's input.

    Of one that asks again, what it asked before.
    """
    if request.url == EMBEDDINGS:
        return "\n".join(_inputs(request))
    said = _said_by_user(request)
    return next((text for text in said if not text.startswith(_AGAIN)), next(iter(said), ""))


def _said_by_user(request: Request) -> list[str]:
    """The last message first."""
    messages = reversed(_messages(request))
    return [_text_of(each.get("content")) for each in messages if each.get("role") == "user"]


def _messages(request: Request) -> list[dict[str, Any]]:
    given = request.body.get("messages")
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []


def ok(body: Mapping[str, Any]) -> Answer:
    return Answer(response=response_of(200, body))


def response_of(status: int, body: Mapping[str, Any], request_id: str | None = None) -> dict[str, Any]:
    return {"status_code": status, "request_id": request_id or new_id(), "body": body}


def new_id() -> str:
    """In the form of a UUID, in a tenth of the time; those of this process are numbered."""
    return f"{_OURS}{next(_numbers):012x}"


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


def _chat_answer(request: Request, prompt: str, created: int, *, wants_json: bool) -> Answer:
    # As recorded, a completion's id is made of the id of its request.
    request_id = new_id()
    model = request.model
    # The real test model leaves out the role, and always counts 20/6/26 tokens.
    reason = "stop"
    if model == TEST_MODEL:
        message, usage = {"content": TEST_RESULT}, _usage(20, 6)
    else:
        content = _content(request, prompt, wants_json=wants_json)
        message, usage, reason = _written(request, prompt, content)
    body = {
        "created": created,
        "usage": usage,
        "model": model,
        "id": f"chatcmpl-{request_id}",
        "choices": [{"finish_reason": reason, "index": 0, "message": message}],
        "object": "chat.completion",
    }
    return Answer(response=response_of(200, body, request_id))


def _content(request: Request, prompt: str, *, wants_json: bool) -> str:
    """What it writes if nothing bounds it."""
    if _MISFIT in prompt and not _said_by_user(request)[0].startswith(_AGAIN):
        return NO_FIT
    return json_answer_for(prompt) if wants_json or asks_for_json(prompt) else answer_for(prompt)


def _written(request: Request, prompt: str, content: str) -> tuple[dict[str, str], dict[str, Any], str]:
    """A chat row's message, its usage, and why it ended."""
    thought = thought_for(prompt) if request.thinks else ""
    thinking = tokens_written(thought) if thought else 0
    written, completion = _bounded(request.body, content, thinking)
    message = {"role": "assistant", "content": written}
    reason = "stop" if written == content else "length"
    usage = _usage(_read_tokens(request), thinking + completion)
    if not thought:
        return message, usage, reason
    details = {"completion_tokens_details": {"reasoning_tokens": thinking}}
    return message | {"reasoning_content": thought}, usage | details, reason


def _bounded(body: Mapping[str, Any], content: str, thinking: int) -> tuple[str, int]:
    """As much of the content as its tokens allow, and how many these are."""
    bounds = [(body.get("max_tokens"), 0), (body.get("max_completion_tokens"), thinking)]
    allowed = [
        max(int(each) - used, 0) for each, used in bounds if isinstance(each, int | float) and each >= 1
    ]
    most = min(allowed, default=None)
    if most is None or tokens_written(content) <= most:
        return content, tokens_written(content)
    return content[: max(4 * most - 1, 0)], most


def _embedding_body(request: Request) -> dict[str, Any]:
    wanted = request.body.get("dimensions")
    dimensions = wanted if isinstance(wanted, int) and 0 < wanted <= 4096 else 8
    inputs = _inputs(request)
    vectors = [
        {"object": "embedding", "index": index, "embedding": embedding_for(text, dimensions)}
        for index, text in enumerate(inputs)
    ]
    tokens = sum(map(tokens_read, inputs))
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {
        "data": vectors,
        "model": request.model,
        "object": "list",
        "usage": usage,
        "id": new_id(),
    }


def _read_tokens(request: Request) -> int:
    return sum(TOKENS_AROUND + tokens_read(_text_of(each.get("content"))) for each in _messages(request))


def _usage(prompt: int, completion: int) -> dict[str, int]:
    return {"completion_tokens": completion, "prompt_tokens": prompt, "total_tokens": prompt + completion}


def _inputs(request: Request) -> list[str]:
    given = request.body.get("input")
    return [str(item) for item in given] if isinstance(given, list) else [str(given)]


def _text_of(content: object) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
