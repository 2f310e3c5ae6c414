"""``/chat/completions`` and ``/embeddings``: one request, answered at once, without streaming.

Sources: https://help.aliyun.com/zh/model-studio/developer-reference/error-code for codes and
messages; what errors look like was recorded in
https://github.com/jjyaoao/HelloAgents/issues/27 and https://github.com/codexu/note-gen/issues/372.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from scripts.localcloud.answers.answering import Answering
from scripts.localcloud.answers.built_in_answers import Answer, Request
from scripts.localcloud.answers.upstream import Silence
from scripts.localcloud.bailian.api.refusals import ApiError
from shared.ports.profile import CHAT, EMBEDDINGS, chat_or_embeddings
from shared.providers.bailian.profile import TEST_MODEL

NAME = "real_time"
# https://help.aliyun.com/zh/model-studio/embedding-interfaces-compatible-with-openai
_MOST_INPUTS = {"text-embedding-v1": 25, "text-embedding-v2": 25}
_MOST_INPUTS_ELSE = 10


def real_time_blueprint(answering: Answering) -> Blueprint:
    """The routes; what answers batches answers here."""
    real_time = Blueprint(NAME, __name__)

    @real_time.post("/chat/completions", endpoint="chat")
    def chat() -> Response:
        body = _body(CHAT)
        messages = body.get("messages")
        if not isinstance(messages, list):
            raise _invalid('Either "prompt" or "messages" must exist and cannot both be none')
        if not messages:
            raise _invalid("[] is too short - 'messages'")
        return _answered(answering.answer_now(Request("", CHAT, body)))

    @real_time.post("/embeddings", endpoint="embeddings")
    def embeddings() -> Response:
        body = _body(EMBEDDINGS)
        _check_inputs(str(body["model"]), body.get("input"))
        return _answered(answering.answer_now(Request("", EMBEDDINGS, body)))

    return real_time


def _body(url: str) -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise ApiError(400, "Required body invalid, please check the request body format.")
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise ApiError(400, "you must provide a model parameter")
    if model == TEST_MODEL or model.startswith("no-such-"):  # every other model is served
        message = f"The model `{model}` does not exist or you do not have access to it."
        raise ApiError(404, message, code="model_not_found")
    if chat_or_embeddings(model) != url:
        message = f"Unsupported model `{model}` for OpenAI compatibility mode."
        raise ApiError(404, message, code="model_not_supported")
    if body.get("stream"):
        raise ApiError(501, "The local Bailian does not stream.", code="not_implemented")
    return body


def _check_inputs(model: str, given: object) -> None:
    texts = given if isinstance(given, list) else [given]
    if not all(isinstance(text, str) for text in texts):
        raise _invalid("Value error, contents is neither str nor list of str.: input.contents")
    if not texts or not all(texts):
        raise _invalid("Value error, contents must not be empty.: input.contents")
    most = _MOST_INPUTS.get(model, _MOST_INPUTS_ELSE)
    if len(texts) > most:
        raise _invalid(
            f"Value error, batch size is invalid, it should not be larger than {most}.: input.contents"
        )


def _invalid(message: str) -> ApiError:
    return ApiError(400, message, code="invalid_parameter_error")


def _answered(said: Answer | Silence) -> Response:
    if isinstance(said, Silence):
        raise ApiError(503, said.said, code=said.code, kind="internal_error")
    if said.is_lost:
        raise ApiError(500, "The row asked to be lost.", code="internal_error", kind="internal_error")
    if said.response is None:
        error = said.error or {}
        raise ApiError(400, str(error.get("message")), code=str(error.get("code")))
    response = jsonify(said.response["body"])
    response.status_code = int(said.response["status_code"])
    return response
