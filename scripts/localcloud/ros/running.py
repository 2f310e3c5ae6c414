"""What runs of a stack: its functions out of their zips, under its roles, and what starts them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar
from zipfile import ZipFile

from scripts.bundle.bytecode import find_interpreter
from scripts.bundle.libraries import Target, libraries_for
from scripts.localcloud.actions.objects import Objects
from scripts.localcloud.events.eventbridge import EventBridge
from scripts.localcloud.events.rocketmq import RocketMq
from scripts.localcloud.events.timers import Timers
from scripts.localcloud.events.triggers import CloudEvent, functions_for_object
from scripts.localcloud.fc.gateway import Gateway
from scripts.localcloud.fc.invocations import AsyncInvoker
from scripts.localcloud.fc.lanes import AsyncPolicy
from scripts.localcloud.fc.workers.pool import FunctionHost
from scripts.localcloud.fc.workers.process import WorkerSpec, worker_spec_for
from scripts.localcloud.options import REGION, REPOSITORY
from scripts.localcloud.oss.oss_events import render_oss_event
from scripts.localcloud.ros.identity import AccountKeys
from scripts.localcloud.ros.resources import Wanted
from scripts.localcloud.storage.object_events import ObjectEvent
from scripts.template.read import FUNCTION
from scripts.template.stack import (
    EventBridgeTrigger,
    FunctionSpec,
    HttpTrigger,
    OssTrigger,
    RocketMqTrigger,
    Stack,
    TimerTrigger,
    Trigger,
)

_ZIP_RUNTIME = REPOSITORY / "scripts" / "localcloud" / "fc" / "workers" / "zip_runtime.py"
TriggerT = TypeVar("TriggerT", bound=Trigger)


@dataclass(frozen=True)
class Platform:
    """The account's Function Compute: what stacks run on.

    ``directory`` is the account's own; ``workers`` is how many instances of each function may run.
    """

    host: FunctionHost
    invoker: AsyncInvoker
    gateway: Gateway
    keys: AccountKeys
    objects: Objects
    directory: Path
    workers: int
    timer_interval_s: float


@cache
def _installed(python: str) -> tuple[str, str]:
    """Function Compute's Python, and what its runtime brings; both take a while to find."""
    interpreter = find_interpreter(python)
    assert interpreter  # noqa: S101 - no function is made without
    lock, kept = REPOSITORY / "requirements.lock", REPOSITORY / "build" / "libraries"
    return interpreter.path, str(libraries_for(Target.function_compute(python), lock, kept).folder)


class _Running:
    """One stack at work; functions go by their own names, not by logical ids."""

    def __init__(self, wanted: Wanted, platform: Platform) -> None:
        self._platform = platform
        self.stack: Stack = wanted.stack
        self._names = {each.logical_id: each.name for each in self.stack.functions}
        self.functions = {*self._names.values()}
        self.oss_triggers = self._triggers(OssTrigger)
        accept = platform.invoker.accept
        self._rocketmq = RocketMq(triggers=self._triggers(RocketMqTrigger), accept=accept, region=REGION)
        self.eventbridge = EventBridge(
            accept=accept,
            triggers=self._triggers(EventBridgeTrigger),
            rules=self.stack.rules,
            rocketmq=self._rocketmq,
        )
        self._timers = Timers(
            triggers=self._triggers(TimerTrigger),
            accept=accept,
            is_pending=platform.invoker.is_pending,
            interval_s=platform.timer_interval_s,
        )
        # Before the former functions make way, for which the disk may have no room.
        self._code = {
            each.properties["FunctionName"]: self._unpacked(each.properties["Code"])
            for each in wanted.resources.values()
            if each.kind == FUNCTION
        }

    def start(self) -> None:
        platform = self._platform
        for key, config in self.stack.async_configs.items():
            policy = AsyncPolicy(config.max_retries, config.max_age_s, concurrency=platform.workers)
            platform.invoker.set_policy(self._names[key], policy)
        for spec in self.stack.functions:
            platform.host.replace(self._worker_spec(spec), size=platform.workers)
        platform.gateway.open(self._triggers(HttpTrigger))
        self._rocketmq.start()
        self._timers.start()

    def stop_events(self) -> None:
        self._timers.stop()
        self._rocketmq.stop()

    def _triggers(self, kind: type[TriggerT]) -> list[TriggerT]:
        found = [each for each in self.stack.triggers if isinstance(each, kind)]
        return [replace(each, function=self._names[each.function]) for each in found]

    def _worker_spec(self, spec: FunctionSpec) -> WorkerSpec:
        platform, python = self._platform, spec.runtime.removeprefix("python")
        key = platform.keys.issue(spec.name, spec.statements)
        code = self._code[spec.name]
        interpreter, libraries = _installed(python)
        own_modules_only = ("-I", "-S", "-B", "-u")
        served = (str(code), str(REPOSITORY / "shared" / "runtime"), libraries, spec.handler)
        here = ("--host", "127.0.0.1", "--port", "0", "--own-key-only")
        return replace(
            worker_spec_for(spec, key, platform.directory / "logs"),
            function=spec.name,
            handler=spec.handler,
            working_directory=code,
            command=(interpreter, *own_modules_only, str(_ZIP_RUNTIME), *served, *here),
        )

    def _unpacked(self, code: Mapping[str, str]) -> Path:
        """A function's zip, unpacked once, whatever it is called; whole or not there."""
        bucket, key = code["OssBucketName"], code["OssObjectName"]
        unpacked = self._platform.directory / "code"
        unpacked.mkdir(exist_ok=True)
        with TemporaryDirectory(dir=unpacked) as scratch:
            archive, draft = Path(scratch, "zip"), Path(scratch, "folder")
            self._platform.objects.fetch(bucket, key, archive)
            folder = unpacked / hashlib.sha256(archive.read_bytes()).hexdigest()
            if not folder.is_dir():
                with ZipFile(archive) as opened:
                    opened.extractall(draft)
                draft.replace(folder)
        return folder


class RunningStacks:
    """What each stack runs at the moment."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._running: dict[str, _Running] = {}

    def run(self, name: str, wanted: Wanted | None) -> None:
        """Run this in place of what ran under that name; waiting events go to the new functions."""
        former = self._running.get(name)
        following = _Running(wanted, self._platform) if wanted else None
        if former:
            former.stop_events()
        if following:
            following.start()
            self._running[name] = following
        else:
            self._running.pop(name, None)
        gone = (former.functions if former else set()) - (following.functions if following else set())
        for function in gone:
            self._platform.gateway.close(function)
            self._platform.host.remove(function)

    def on_object(self, event: ObjectEvent) -> None:
        self._each(
            lambda running: [
                self._platform.invoker.accept(function, render_oss_event(event))
                for function in functions_for_object(running.oss_triggers, event.event_name, event.key)
                if running.stack.bucket == event.bucket
            ]
        )

    def publish(self, event: CloudEvent) -> list[str]:
        found: list[str] = []
        self._each(lambda running: found.extend(running.eventbridge.publish(event)))
        return found

    def stop(self) -> None:
        self._each(_Running.stop_events)

    def _each(self, act: Callable[[_Running], object]) -> None:
        for running in list(self._running.values()):
            act(running)
