"""What stands in for the model server in the user's image: built-in answers, or an upstream's."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from flask import Flask, Response, request

from scripts.localcloud.answers.built_in_answers import Answer, Request, built_in_answer
from scripts.localcloud.answers.calls.upstream_calls import UpstreamCalls
from scripts.localcloud.answers.upstream import Silence, Upstream
from scripts.localcloud.servers.json_bodies import json_object_in
from scripts.localcloud.servers.local_server import HOST
from scripts.localcloud.servers.wsgi_server import QuietHandler, WsgiServer, hang_up
from shared.ports.clock import Clock

_TICK_S = 0.02
_OTHER = "another-model"
_BUSY = {"error": {"code": "server_stopping", "message": "The model server stops."}}


class ModelServer(WsgiServer):
    """One server for the containers of all tasks; each container makes its model known.

    In place of a model whose name begins with ``no-such-`` it has another one.

    Args:
        upstream: What answers; without one, built-in answers do.
        concurrency: How many rows the upstream gets at once.
        is_paused: While so, no row is answered.
    """

    def __init__(
        self,
        upstream: Upstream | None,
        concurrency: int,
        clock: Clock,
        is_paused: Callable[[], bool],
        port: int,
    ) -> None:
        self._calls = UpstreamCalls(upstream, concurrency) if upstream else None
        self._clock = clock
        self._is_paused = is_paused
        self._closing = threading.Event()
        self._models: Counter[str] = Counter()
        self._left: dict[str, int] = {}
        self._counting = threading.Lock()
        super().__init__(HOST, port, self._app(), QuietHandler)

    def stop(self) -> None:
        """No request is waited for that waits itself."""
        self._closing.set()
        super().stop()
        if self._calls:
            self._calls.close()

    @contextmanager
    def serving(self, model: str, most_rows: int | None) -> Iterator[Callable[[], None]]:
        """List the model until what this yields is called, or this ends.

        Args:
            model: Whatever its name is, the same is behind it.
            most_rows: After so many, the model's rows wait until then.
        """
        ending = ExitStack()

        def end() -> None:
            with self._counting:
                ending.close()

        with self._counting:
            self._models[model] += 1
            ending.callback(self._models.subtract, (model,))
            if most_rows is not None:
                self._left[model] = most_rows
                ending.callback(self._left.pop, model, None)
        try:
            yield end
        finally:
            end()

    def _app(self) -> Flask:
        app = Flask(__name__)

        @app.get("/v1/models")
        def models() -> Response:
            asked = [model for model, tasks in self._models.items() if tasks]
            served = [_OTHER if model.startswith("no-such-") else model for model in asked]
            return _rendered({"object": "list", "data": [{"id": each, "object": "model"} for each in served]})

        @app.post("/v1/<path:rest>")
        def answer(rest: str) -> Response:
            body = json_object_in(request.get_data())
            if body is None:
                return _rendered(
                    {"error": {"code": "invalid_json", "message": "The body is no object."}}, 400
                )
            asked = Request("", f"/v1/{rest}", body)
            return self._answered(asked) if self._may_go_on(asked.model) else _rendered(_BUSY, 503)

        return app

    def _may_go_on(self, model: str) -> bool:
        """Wait until the row may be answered; false if the server stops, or serves it no more."""
        while self._models[model]:
            if not self._is_paused() and self._take_one(model):
                return True
            if self._closing.wait(_TICK_S):
                break
        return False

    def _take_one(self, model: str) -> bool:
        with self._counting:
            left = self._left.get(model)
            if left:
                self._left[model] = left - 1
            return left != 0

    def _answered(self, asked: Request) -> Response:
        said = self._said_to(asked)
        if said is None:
            return _rendered(_BUSY, 503)
        if isinstance(said, Silence):
            return _rendered({"error": {"code": said.code, "message": said.said}}, 503)
        if said.is_lost:
            return hang_up()
        if said.response is None:
            return _rendered({"error": said.error}, 400)
        response = _rendered(said.response["body"], said.response["status_code"])
        response.headers["x-request-id"] = said.response["request_id"]
        return response

    def _said_to(self, asked: Request) -> Answer | Silence | None:
        if self._calls is None:
            return built_in_answer(asked, int(self._clock.now().timestamp()))
        replies = self._calls.ask_one(asked)
        while not self._closing.is_set():
            for heard in replies.next(_TICK_S):
                return heard.said
        return None


def _rendered(document: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(document, ensure_ascii=False), status=status, mimetype="application/json")
