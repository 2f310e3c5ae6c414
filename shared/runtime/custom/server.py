"""The custom runtime as a program: serves one handler over HTTP until it is told to stop.

``python -m shared.runtime.custom.server functions.submit.index.handler`` starts it.
"""

from __future__ import annotations

import argparse
import hmac
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import cast

from shared.runtime.custom.custom_runtime import JSON, respond
from shared.runtime.custom.http_server import Connection, HttpServer, Request
from shared.runtime.custom.loading import Handler, HandlerNotLoadable, load_handler
from shared.runtime.logs import configure_logging
from shared.runtime.settings import log_level_from

log = logging.getLogger("shared.runtime.custom.server")  # started with -m, __name__ is "__main__"

DEFAULT_PORT = "9000"
CALLER_SECRET = "x-fc-access-key-secret"  # noqa: S105 (a header's name)

# Function Compute gives an instance this long to finish its work.
GRACE_S = 30


class CustomRuntimeServer(HttpServer):
    """Runs no more invocations at a time than ``concurrency``.

    With a ``caller_secret``, it answers only requests that carry it, as the platform's do.
    """

    def __init__(
        self,
        address: tuple[str, int],
        handler: Handler,
        env: Mapping[str, str],
        concurrency: int = 1,
        caller_secret: str | None = None,
    ) -> None:
        super().__init__(address, _Connection)
        self.handler = handler
        self.env = env
        self._concurrency = concurrency
        self._caller_secret = caller_secret
        # An invocation holds one from its start until its response is written.
        self.free = threading.Semaphore(concurrency)

    def drain(self, timeout_s: float) -> bool:
        """Let no invocation begin, and wait for those under way."""
        return all(self.free.acquire(timeout=timeout_s) for _ in range(self._concurrency))

    def may_call(self, request: Request) -> bool:
        if self._caller_secret is None:
            return True
        given = next((value for name, value in request.headers if name.lower() == CALLER_SECRET), "")
        return hmac.compare_digest(given.encode(), self._caller_secret.encode())

    def handle_error(self, request: object, client_address: object) -> None:
        log.warning("connection.broken", exc_info=sys.exc_info()[1])


class _Connection(Connection):
    server: CustomRuntimeServer

    def respond(self, request: Request) -> None:
        if not self.server.may_call(request):
            self.refuse(403, f"only the cloud that started this instance may call it, with {CALLER_SECRET}")
            return
        with self.server.free:
            response = respond(self.server.handler, request, self.server.env, str(self.client_address[0]))
            headers = response.headers.items()
            self.write(
                response.status,
                [(name, value.encode().decode("latin-1")) for name, value in headers],
                response.body,
            )

    def refuse(self, status: int, reason: str) -> None:
        log.warning("request.refused", extra={"status": status, "reason": reason})
        self.write(status, JSON.items(), json.dumps({"error": reason}).encode())


def _arguments(arguments: Sequence[str] | None, env: Mapping[str, str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m shared.runtime.custom.server", description=__doc__)
    parser.add_argument("handler", help="for example functions.submit.index.handler")
    # The platform calls from outside the container.
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104
    default_port = env.get("FC_CUSTOM_LISTEN_PORT") or env.get("FC_SERVER_PORT") or DEFAULT_PORT
    parser.add_argument("--port", type=int, default=default_port, help="0 lets the system choose")
    parser.add_argument(
        "--concurrency",
        type=int,
        default=1,
        choices=range(1, 201),
        metavar="1…200",
        help="invocations at a time (default 1)",
    )
    parser.add_argument(
        "--own-key-only",
        action="store_true",
        help=f"answer only callers whose {CALLER_SECRET} is this process's own access key secret",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT, then finish what is under way.

    Exit status 1: the handler cannot be used.
    """
    env = os.environ
    configure_logging(log_level_from(env))
    options = _arguments(arguments, env)
    try:
        handler = load_handler(cast("str", options.handler))
    except HandlerNotLoadable as error:
        log.error("handler.refused", exc_info=error.__cause__ or False, extra={"reason": str(error)})  # noqa: TRY400
        return 1
    secret = env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] if options.own_key_only else None
    address = options.host, options.port
    with CustomRuntimeServer(address, handler, env, options.concurrency, secret) as server:
        _stop_on_signals(server)
        shown_host = "127.0.0.1" if options.host == "0.0.0.0" else options.host  # noqa: S104 (only compared)
        sys.stdout.write(f"listening on http://{shown_host}:{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever(poll_interval=0.1)
        if not server.drain(GRACE_S):
            log.warning("server.cut_short", extra={"grace_s": GRACE_S})
    return 0


def _stop_on_signals(server: CustomRuntimeServer) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        # shutdown() waits for the loop in this very thread, so it needs a thread of its own.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


if __name__ == "__main__":
    sys.exit(main())
