"""Sends every request of a JSONL file to a model server, so many at once, and keeps no answer.

``python -m scripts.benchmarks.answers.bare_client <requests> <server> <at once>`` prints how many
seconds it took, and how many of them the processor. The client is ``aiohttp``, which is seven times
as fast as the one with which the OpenAI SDK calls.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import aiohttp

_HEADERS = {"Content-Type": "application/json"}


async def sent(requests: Path, server: str, at_once: int) -> tuple[float, float]:
    lines = requests.read_bytes().split(b"\n")
    bodies = iter([json.dumps(json.loads(line)["body"]).encode() for line in lines if line])
    connector = aiohttp.TCPConnector(limit=at_once)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def call_on() -> None:
            for body in bodies:
                async with session.post(
                    f"{server}/chat/completions", data=body, headers=_HEADERS
                ) as response:
                    await response.json()

        started_s, cpu_s = time.perf_counter(), time.process_time()
        await asyncio.gather(*(call_on() for _ in range(at_once)))
        return time.perf_counter() - started_s, time.process_time() - cpu_s


if __name__ == "__main__":
    wall_s, worked_s = asyncio.run(sent(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
    sys.stdout.write(f"{wall_s} {worked_s}\n")
