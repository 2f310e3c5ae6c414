"""One instance of a function: a process that serves HTTP and writes to the function's log."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scripts.localcloud.access.access_keys import TemporaryKey
from scripts.localcloud.fc.workers.fork_server import LAUNCHER, Forked, ForkServer, inherited
from scripts.localcloud.options import ACCOUNT_ID, REGION, REPOSITORY
from scripts.template.stack import FunctionSpec

LISTENING = re.compile(rb"listening on http://([^\s:/]+):(\d+)")


class WorkerFailed(Exception):
    """A worker gave no answer; ``error_type`` is Function Compute's word for it."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


@dataclass(frozen=True)
class WorkerSpec:
    """How one function is started and what it is told about itself.

    ``command`` must serve Function Compute's custom-runtime contract and print ``listening on
    http://HOST:PORT``; empty, it is the project's own server. ``memory_mb`` is a limit of the
    memory in use, as in the cloud: one of the address space would also count what PyArrow only
    reserves, 1.3 GB for a Parquet file.
    """

    function: str
    handler: str
    log_path: Path
    working_directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 60.0
    memory_mb: int = 512
    command: tuple[str, ...] = ()
    region: str = "cn-local"
    access_key_id: str = "local"
    access_key_secret: str = "local"  # noqa: S105 - opens nothing but the local cloud
    security_token: str = ""

    @property
    def full_command(self) -> tuple[str, ...]:
        server = (sys.executable, "-m", "shared.runtime.custom.server")
        return self.command or (*server, *self.server_arguments)

    @property
    def server_arguments(self) -> tuple[str, ...]:
        # Whatever else runs on this machine, a web page in a browser too, can reach the port.
        return (self.handler, "--host", "127.0.0.1", "--port", "0", "--own-key-only")

    def full_environment(self) -> dict[str, str]:
        """The function's own variables and those that Function Compute sets.

        Source: https://help.aliyun.com/document_detail/2513539.html
        """
        return {
            **inherited(),
            "ALIBABA_CLOUD_ACCESS_KEY_ID": self.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": self.access_key_secret,
            "ALIBABA_CLOUD_SECURITY_TOKEN": self.security_token,
            "FC_ACCOUNT_ID": ACCOUNT_ID,
            "FC_FUNCTION_HANDLER": self.handler,
            "FC_FUNCTION_MEMORY_SIZE": str(self.memory_mb),
            "FC_FUNCTION_NAME": self.function,
            "FC_INSTANCE_ID": f"c-{uuid.uuid4().hex[:16]}",
            "FC_REGION": self.region,
            **self.environment,
        }

    def invocation_headers(self, request_id: str, control_path: str) -> list[tuple[str, str]]:
        """The platform's headers of one request.

        ``control_path``: ``/invoke`` for an event, ``/http-invoke`` for a request to pass on.

        Source: https://www.alibabacloud.com/help/en/functioncompute/fc/context-and-log-format-1
        """
        return [
            ("x-fc-request-id", request_id),
            ("x-fc-access-key-id", self.access_key_id),
            ("x-fc-access-key-secret", self.access_key_secret),
            ("x-fc-security-token", self.security_token),
            ("x-fc-function-handler", self.handler),
            ("x-fc-function-memory", str(self.memory_mb)),
            ("x-fc-function-name", self.function),
            ("x-fc-region", self.region),
            ("x-fc-account-id", ACCOUNT_ID),
            ("x-fc-qualifier", "LATEST"),
            ("x-fc-control-path", control_path),
        ]


def worker_spec_for(spec: FunctionSpec, key: TemporaryKey, logs_dir: Path) -> WorkerSpec:
    """From the template and the function's access key."""
    return WorkerSpec(
        function=spec.logical_id,
        handler=f"functions.{spec.folder}.{spec.handler}",
        log_path=logs_dir / f"{spec.folder}.log",
        working_directory=REPOSITORY,
        environment=spec.environment,
        timeout_s=spec.timeout_s,
        memory_mb=spec.memory_mb,
        region=REGION,
        access_key_id=key.access_key_id,
        access_key_secret=key.secret,
        security_token=key.security_token,
    )


def _forked(spec: WorkerSpec, forks: ForkServer) -> Forked:
    return forks.fork(
        spec.function, [*spec.server_arguments], spec.working_directory, spec.full_environment()
    )


def _started(spec: WorkerSpec) -> subprocess.Popen[bytes]:
    command = spec.full_command
    if sys.platform == "linux":
        command = (sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), *command)
    return subprocess.Popen(
        command,
        cwd=spec.working_directory,
        env=spec.full_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        bufsize=0,
        # Ctrl-C in the terminal is for the parent to handle; one group can be killed.
        start_new_session=True,
    )


class WorkerProcess:
    """Starts the process, in a thread that must outlive it: for Linux that is its parent."""

    def __init__(self, spec: WorkerSpec, forks: ForkServer | None = None) -> None:
        self.host = "127.0.0.1"
        self.port = 0
        self._log_path = spec.log_path
        self._announced = threading.Event()
        self._process = _forked(spec, forks) if forks else _started(spec)
        self.pid = self._process.pid
        self._reader = threading.Thread(target=self._copy_output, name=f"log-{spec.function}", daemon=True)
        self._reader.start()

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def resident_bytes(self) -> int:
        """The memory in use; 0 where nobody says so, as on macOS, and once the process is gone."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * resource.getpagesize()

    def wait_until_listening(self, timeout_s: float) -> None:
        """Block until the address is known.

        Raises:
            WorkerFailed: The process ended, or said nothing in time. It is not killed.
        """
        has_news = self._announced.wait(timeout_s)
        if not self.port:
            if has_news:  # its output ended, so it is about to be gone
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(timeout=1.0)
            state = "still runs" if self.is_alive else f"exited with {self._process.returncode}"
            message = f"the worker did not say where it listens ({state}); see {self._log_path}"
            raise WorkerFailed("FunctionNotStarted", message)

    def kill(self) -> None:
        """End the process and its group, and wait for that. Callable from any thread, and twice."""
        with contextlib.suppress(
            ProcessLookupError, PermissionError
        ):  # macOS says EPERM for a zombie's group
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join(timeout=2.0)  # the group is dead, so the pipe is at its end

    def _copy_output(self) -> None:
        stdout = self._process.stdout
        if stdout is None:  # never with PIPE; tells the type checker
            return
        with stdout:
            pending = b""
            while chunk := stdout.read(65536):
                # On a full disk some lines are lost; the worker must not wait for a reader.
                with contextlib.suppress(OSError), self._log_path.open("ab", buffering=0) as log:
                    log.write(chunk)
                if not self.port:
                    pending += chunk
                    self._find_address(pending)
        self._announced.set()

    def _find_address(self, output: bytes) -> None:
        complete, newline, _ = output.rpartition(b"\n")
        if newline and (match := LISTENING.search(complete)):
            self.host, self.port = match[1].decode("ascii"), int(match[2])
            self._announced.set()
