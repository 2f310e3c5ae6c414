"""Sends every request of a JSONL file to a model server, so many at once, and keeps no answer.

``python -m scripts.benchmarks.answers.bare_client <client> <requests> <server> <at once>`` prints
the requests a second. A client is ``httpx2``, with which the OpenAI SDK calls, or ``aiohttp``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

Post = Callable[[bytes], Awaitable[object]]
_HEADERS = {"Content-Type": "application/json"}


async def httpx2_post(url: str, at_once: int, running: AsyncExitStack) -> Post:
    import httpx2  # noqa: PLC0415 - only what is measured is loaded

    limits = httpx2.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    client = await running.enter_async_context(httpx2.AsyncClient(limits=limits))

    async def post(body: bytes) -> object:
        return (await client.post(url, content=body, headers=_HEADERS)).json()

    return post


async def aiohttp_post(url: str, at_once: int, running: AsyncExitStack) -> Post:
    import aiohttp  # noqa: PLC0415 - the same

    connector = aiohttp.TCPConnector(limit=at_once)
    session = await running.enter_async_context(aiohttp.ClientSession(connector=connector))

    async def post(body: bytes) -> object:
        async with session.post(url, data=body, headers=_HEADERS) as response:
            return await response.json()

    return post


async def rate(client: str, requests: Path, server: str, at_once: int) -> float:
    lines = requests.read_bytes().split(b"\n")
    bodies = iter([json.dumps(json.loads(line)["body"]).encode() for line in lines if line])
    async with AsyncExitStack() as running:
        opened = {"httpx2": httpx2_post, "aiohttp": aiohttp_post}[client]
        post = await opened(f"{server}/chat/completions", at_once, running)

        async def call_on() -> None:
            for body in bodies:
                await post(body)

        started = time.perf_counter()
        await asyncio.gather(*(call_on() for _ in range(at_once)))
        return (len(lines) - 1) / (time.perf_counter() - started)


if __name__ == "__main__":
    said = asyncio.run(rate(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
    sys.stdout.write(f"{said}\n")
