"""The process that instances are forked from: it has loaded what they import, and nothing more.

``python -m scripts.localcloud.fc.workers.forking FD`` takes orders at that socket until it is
closed. It has one thread, without which a fork would not be safe, and its instances die with it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.localcloud.fc.workers.launch import die_with_parent
from shared.runtime.custom.server import main as serve
from shared.runtime.invocation import attempt

_MAX_ORDER_BYTES = 1 << 20
# In the order in which a file's way needs them. Bailian's SDK is loaded by its first use only.
_LOADED = (
    *(f"functions.{each}.index" for each in ("validate", "submit")),
    "openai",
    *(
        f"functions.{each}.index"
        for each in ("reconcile", "callback", "message", "collect", "notify", "page")
    ),
)


def main(descriptor: str) -> int:
    """Exit status: an instance's, or 0 once nobody can order any more."""
    own_pid, to_load = os.getpid(), list(_LOADED)
    with socket.socket(fileno=int(descriptor)) as orders:
        waiting = select.poll()
        waiting.register(orders, select.POLLIN)
        while True:
            if to_load and not waiting.poll(0):
                _load(to_load.pop(0))
                continue
            content, outputs, _, _ = socket.recv_fds(orders, _MAX_ORDER_BYTES, 1)
            if not content:
                return 0
            order = json.loads(content)
            if "ended" in order:
                answer = os.waitstatus_to_exitcode(os.waitpid(order["ended"], 0)[1])
            elif not (answer := _forked()):
                break
            for output in outputs:
                os.close(output)
            orders.send(str(answer).encode())
    die_with_parent(own_pid)
    return _run(order, outputs[0])


def _forked() -> int:
    """The instance's process id; 0 in the instance itself, -1 where the system allows none."""
    try:
        process = os.fork()
    except OSError:
        return -1
    if process:
        # Here, too: whoever is told of the instance may kill its group at once.
        os.setpgid(process, process)
    return process


def _load(name: str) -> None:
    # What cannot be loaded is its function's error, which tells so in its log.
    attempt(lambda: importlib.import_module(name))
    gc.freeze()  # a collection would copy all of its pages in each instance


def _run(order: Mapping[str, Any], output: int) -> int:
    """Be the instance."""
    os.setpgid(0, 0)  # not a session: a leader of its group cannot begin one
    for standard in (1, 2):
        os.dup2(output, standard)
    os.close(output)
    os.chdir(order["directory"])
    os.environ.clear()
    os.environ.update(order["environment"])
    # Its command line and environment in /proc are this program's; its name at least is its own.
    Path("/proc/self/comm").write_text(order["name"], encoding="utf-8")
    return serve(order["arguments"])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
