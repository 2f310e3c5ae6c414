"""Function Compute's front door: the URLs of HTTP triggers, and the local cloud's own."""

from __future__ import annotations

import hmac
import json
import re
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias
from urllib.parse import quote, unquote

from pydantic import TypeAdapter

from scripts.localcloud.events.delivery_faults import DeliveryFaults, FaultRule
from scripts.localcloud.events.triggers import CloudEvent
from scripts.localcloud.fc.lanes import InvocationCounts
from scripts.localcloud.fc.workers.http import HEADERS_OF_ONE_HOP, Headers, HttpResponse, error_type_of
from scripts.localcloud.fc.workers.process import WorkerFailed
from scripts.localcloud.servers.local_server import HOST, LocalServer
from scripts.template.stack import HttpTrigger
from shared.runtime.custom.http_server import Connection, Request

# Function, request, request id; may raise WorkerFailed.
Call: TypeAlias = Callable[[str, Request, str], HttpResponse]
NOT_PRINTABLE = re.compile(rb"[^\x20-\x7e\r\n]")
FAULT_RULES = TypeAdapter(list[FaultRule])


class Gateway(LocalServer):
    """Serves ``/<function>/…``, and the local cloud's own addresses.

    ``GET /status.json`` is ``status``. ``POST /eventbridge`` publishes a CloudEvent. ``POST
    /faults`` adds the fault or the list of faults in its body, ``DELETE /faults`` removes all.
    These three want ``Authorization: Bearer`` and ``api_key``. All else is asked of the function
    ``site``, as at a custom domain; its own pages may send what only they send.

    It is bound from the constructor on, to 127.0.0.1 and, with port 0, to a free port: the
    functions' environment may hold ``url_of`` before anything is started.
    """

    def __init__(
        self,
        *,
        call: Call,
        triggers: Iterable[HttpTrigger],
        status: Callable[[], object],
        publish: Callable[[CloudEvent], object],
        faults: DeliveryFaults,
        api_key: str,
        port: int = 0,
        site: str | None = None,
    ) -> None:
        self._site = site
        self._call_function = call
        self._methods: dict[str, frozenset[str]] = {}
        self._calls: dict[str, Counter[str]] = {}
        self.open(triggers)
        self._status = status
        self._publish = publish
        self._faults = faults
        self._authorization = f"Bearer {api_key}".encode()
        self._calls_lock = threading.Lock()
        self._commands: dict[tuple[str, str], Callable[[bytes], object]] = {
            ("POST", "/eventbridge"): self._publish_event,
            ("POST", "/faults"): self._add_faults,
            ("DELETE", "/faults"): self._clear_faults,
        }
        super().__init__((HOST, port), _Connection)

    def open(self, triggers: Iterable[HttpTrigger]) -> None:
        """Serve these functions, too, from now on."""
        for trigger in triggers:
            self._calls.setdefault(trigger.function, Counter[str]())
            self._methods[trigger.function] = frozenset(trigger.methods)

    def close(self, function: str) -> None:
        """Serve this function no more."""
        self._methods.pop(function, None)

    def url_of(self, function: str) -> str:
        """The URL of the function's HTTP trigger, without a slash at the end."""
        return f"{self.url}/{quote(function)}"

    def counts(self) -> dict[str, InvocationCounts]:
        """How many requests each function answered, and at how many it failed."""
        with self._calls_lock:
            return {function: InvocationCounts(**calls) for function, calls in self._calls.items()}

    def __enter__(self) -> Gateway:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def answer(self, request: Request) -> HttpResponse:
        path, _, query = request.target.partition("?")
        segment, _, rest = path.removeprefix("/").partition("/")
        function = unquote(segment)
        if function in self._methods:
            target = f"/{rest}?{query}" if query else f"/{rest}"
            # As at every URL under fcapp.run: browsers download, they do not show.
            return self._call(
                function, replace(request, target=target), [("Content-Disposition", "attachment")]
            )
        command = request.method, path
        if command == ("GET", "/status.json"):
            return HttpResponse(
                200, [("Content-Type", "application/json")], json.dumps(self._status()).encode()
            )
        if command in self._commands:
            if not self._is_allowed(request):
                return refusal(401, "Unauthorized", "Authorization must be Bearer and the folder's API key")
            return _carried_out(self._commands[command], request.body)
        if self._site in self._methods:
            return self._call(self._site, request, [])
        return refusal(404, "FunctionNotFound", f"no function and no page at {path}")

    def admits_page(self, method: str, target: str, headers: Mapping[str, str]) -> bool:
        """Only pages of this very address, and only to what they are made of."""
        del method
        host = headers.get("host", "")
        is_ours = host.rpartition(":")[2] == str(self.server_port) and headers["origin"] == f"http://{host}"
        return is_ours and target.startswith(("/api/", "/static/"))

    def _is_allowed(self, request: Request) -> bool:
        given = [value for name, value in request.headers if name.lower() == "authorization"]
        return len(given) == 1 and hmac.compare_digest(given[0].encode(), self._authorization)

    def _call(self, function: str, request: Request, more: Headers) -> HttpResponse:
        if request.method not in self._methods[function]:
            allowed = ", ".join(sorted(self._methods[function]))
            response = refusal(405, "MethodNotAllowed", f"the trigger takes {allowed}")
            return replace(response, headers=[*response.headers, ("Allow", allowed)])
        # Function Compute lets no x-fc-* header through, either way.
        request_id = f"1-{uuid.uuid4()}"
        try:
            passed = replace(request, headers=_without_fc(request.headers))
            response = self._call_function(function, passed, request_id)
            error_type = response.header("x-fc-status") and error_type_of(response)
        except WorkerFailed as failure:
            response, error_type = refusal(502, failure.error_type, str(failure)), failure.error_type
        with self._calls_lock:
            self._calls[function]["failed" if error_type else "succeeded"] += 1
        added = [("X-Fc-Request-Id", request_id)]
        if error_type:  # the function raised instead of answering
            response = replace(response, status=502)
            added.append(("X-Fc-Error-Type", error_type))
        else:
            added += more
        own = {name.lower() for name, _ in added}
        passed_back = [each for each in _without_fc(response.headers) if each[0].lower() not in own]
        return replace(response, headers=[*passed_back, *added])

    def _publish_event(self, body: bytes) -> object:
        event = json.loads(body)
        if not isinstance(event, dict):
            raise ValueError("the body must be one CloudEvent, a JSON object")  # noqa: TRY004 - a bad request
        return {"matched": self._publish(event)}

    def _add_faults(self, body: bytes) -> object:
        document = json.loads(body)
        rules = FAULT_RULES.validate_python(document if isinstance(document, list) else [document])
        for rule in rules:
            self._faults.add(rule)
        return {"added": len(rules)}

    def _clear_faults(self, _body: bytes) -> object:
        self._faults.clear()
        return {"added": 0}


class _Connection(Connection):
    server: Gateway

    def parse_request(self) -> bool:
        """Quote raw bytes first: the base class would split the line at some, such as 0xA0."""
        self.raw_requestline = NOT_PRINTABLE.sub(lambda found: b"%%%02X" % found[0][0], self.raw_requestline)
        return super().parse_request()

    def respond(self, request: Request) -> None:
        response = self.server.answer(request)
        headers = [
            (name, value) for name, value in response.headers if name.lower() not in HEADERS_OF_ONE_HOP
        ]
        self.write(response.status, headers, response.body)

    def refuse(self, status: int, reason: str) -> None:
        response = refusal(status, "InvalidArgument", reason)
        self.write(status, response.headers, response.body)


def refusal(status: int, code: str, message: str) -> HttpResponse:
    """An error in Function Compute's form.

    Source: https://www.alibabacloud.com/help/en/functioncompute/error-codes
    """
    body = json.dumps({"ErrorCode": code, "ErrorMessage": message}).encode()
    return HttpResponse(status, [("Content-Type", "application/json")], body)


def _carried_out(command: Callable[[bytes], object], body: bytes) -> HttpResponse:
    try:
        answer = command(body)
    except ValueError as error:  # also what json, pydantic and the event bus say of bad input
        return refusal(400, "InvalidArgument", str(error))
    return HttpResponse(200, [("Content-Type", "application/json")], json.dumps(answer).encode())


def _without_fc(headers: Headers) -> Headers:
    return [(name, value) for name, value in headers if not name.lower().startswith("x-fc-")]
