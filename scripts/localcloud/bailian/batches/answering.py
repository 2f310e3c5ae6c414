"""Who answers the rows: the built-in answers, or an upstream server with bounded concurrency."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from scripts.localcloud.bailian.batches.built_in_answers import Answer, Request, built_in_answer
from scripts.localcloud.bailian.batches.upstream import Upstream, ask_upstream
from shared.ports.clock import Clock
from shared.providers.bailian.profile import TEST_ENDPOINT

_Pending = dict["Future[Answer]", Request]


class Answering:
    """Answers requests as they finish, holding only a few of them at a time.

    ``concurrency`` bounds the calls to the upstream over all batches.
    """

    def __init__(
        self,
        upstream: Upstream | None,
        concurrency: int,
        clock: Clock,
        stopping: threading.Event,
    ) -> None:
        self._upstream = upstream
        self._clock = clock
        self._window = 2 * concurrency
        self._stopping = stopping
        self._executor = ThreadPoolExecutor(concurrency, thread_name_prefix="bailian-upstream")

    def answers(self, requests: Iterator[Request]) -> Iterator[tuple[Request, Answer]]:
        if self._upstream is None:
            yield from ((request, self._built_in(request)) for request in requests)
        else:
            yield from self._upstream_answers(self._upstream, requests)

    def close(self) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _upstream_answers(
        self, upstream: Upstream, requests: Iterator[Request]
    ) -> Iterator[tuple[Request, Answer]]:
        pending: _Pending = {}
        try:
            while True:
                for request in islice(requests, self._window - len(pending)):
                    pending[self._executor.submit(self._answer, upstream, request)] = request
                if not pending:
                    return
                for future in wait(pending, return_when=FIRST_COMPLETED).done:
                    answer = future.result()
                    yield pending.pop(future), answer
        finally:
            for future in pending:
                future.cancel()

    def _built_in(self, request: Request) -> Answer:
        return built_in_answer(request, int(self._clock.now().timestamp()))

    def _answer(self, upstream: Upstream, request: Request) -> Answer:
        # The service itself answers for its test model, also with an upstream.
        if request.url == TEST_ENDPOINT:
            return self._built_in(request)
        return ask_upstream(upstream, request, self._stopping)
