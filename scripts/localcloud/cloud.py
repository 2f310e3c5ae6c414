"""The local cloud: OSS, providers, triggers, timers, functions, wired from ``template.yaml``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from scripts.localcloud.access.access_keys import AccessKeys
from scripts.localcloud.access.own_keys import own_keys
from scripts.localcloud.answers.batch_service import BatchService
from scripts.localcloud.assembly import Assembly
from scripts.localcloud.bailian.api.oss_input import OssInput
from scripts.localcloud.bailian.batches.batch_events import FinishedBatch, batch_event
from scripts.localcloud.bailian.local_bailian import LocalBailian
from scripts.localcloud.clouds.second_cloud import SecondCloud
from scripts.localcloud.clouds.tencent import LocalTencent
from scripts.localcloud.clouds.volcengine import LocalVolcengine
from scripts.localcloud.data_lock import DataDirGone, locked
from scripts.localcloud.events.delivery_faults import DeliveryFaults, FaultKind, FaultRule
from scripts.localcloud.events.local_events import LocalEvents
from scripts.localcloud.events.triggers import functions_for_object
from scripts.localcloud.fc.gateway import Gateway
from scripts.localcloud.fc.invocations import AsyncInvoker
from scripts.localcloud.fc.lanes import AsyncPolicy
from scripts.localcloud.fc.workers.pool import FunctionHost
from scripts.localcloud.fc.workers.process import worker_spec_for
from scripts.localcloud.interruptions import Interruptions
from scripts.localcloud.local_stack import local_stack
from scripts.localcloud.options import REGION, CloudOptions, tencent_dir, volcengine_dir
from scripts.localcloud.oss.local_oss import LocalOss
from scripts.localcloud.oss.operations.cors_operations import put_cors_rules
from scripts.localcloud.oss.operations.tag_operations import put_bucket_tags
from scripts.localcloud.oss.oss_events import render_oss_event
from scripts.localcloud.status import status
from scripts.localcloud.storage.object_events import ObjectEvent
from scripts.template.stack import HttpTrigger, OssTrigger, Stack

# The function that answers at the local cloud's address.
PAGE = "Page"
Second = TypeVar("Second", bound=SecondCloud)


class LocalCloud(Assembly):
    """Everything on 127.0.0.1, in one process and its workers.

    From the constructor until ``stop`` it holds its data directory; ``DataDirInUse`` says that
    another one does.
    """

    def __init__(self, options: CloudOptions) -> None:
        super().__init__()
        self.options = options
        self.lock = self._running.enter_context(locked(options.data_dir))
        self.delivery_faults = DeliveryFaults()
        if options.duplicates > 1:
            self.delivery_faults.add(FaultRule(kind=FaultKind.DUPLICATE, copies=options.duplicates))
        self._own_dir = options.data_dir / ".localcloud"
        self.interruptions = Interruptions()
        self.host = FunctionHost()
        self.keys = own_keys(options.data_dir)
        self.api_key = options.api_key or self.keys.api_key
        self._keys = AccessKeys({self.keys.access_key_id: self.keys.access_key_secret}, REGION)
        self.oss = LocalOss(
            options.data_dir,
            self._keys.secrets,
            REGION,
            self._on_object,
            port=options.oss_port,
            security_tokens=self._keys.security_tokens,
            authorize=self._keys.authorize,
            scan_interval_s=options.scan_interval_s,
            interruptions=self.interruptions,
        )
        self._running.callback(self.oss.stop)
        has_bailian = not options.real and "bailian" in options.providers
        self.bailian = self._local_bailian() if has_bailian else None
        self.volcengine = self._opened("ark", volcengine_dir, LocalVolcengine)
        self.tencent = self._opened("tione", tencent_dir, LocalTencent)
        self._oss_triggers: list[OssTrigger] = []
        self.events = LocalEvents(options.timer_interval_s, self.interruptions)

    @property
    def bucket_dir(self) -> Path:
        return self.options.data_dir / self.options.bucket

    @property
    def second_clouds(self) -> list[SecondCloud]:
        """Those whose providers recipes may name."""
        return [each for each in (self.volcengine, self.tencent) if each]

    @property
    def logs_dir(self) -> Path:
        return self._own_dir / "logs"

    @property
    def calls_under_way(self) -> int:
        """How many rows a server of ``--upstream`` is answering."""
        return sum(each.calls_under_way for each in self._answerers)

    def hurry(self) -> None:
        """Let ``stop`` wait for no row; safe to call from a signal's handler."""
        for each in self._answerers:
            each.hurry()

    @property
    def _answerers(self) -> list[BatchService[Any]]:
        return [*filter(None, [self.bailian]), *(each.provider for each in self.second_clouds)]

    def check_folders(self) -> None:
        """Raise ``DataDirGone`` if the data directory or its bucket is not there any more."""
        self.lock.check()
        if not self.bucket_dir.is_dir():
            raise DataDirGone(self.bucket_dir)

    def _start(self) -> None:
        """Start addresses first, then the functions that need them, then what fires events."""
        options = self.options
        self.oss.storage.create_bucket(options.bucket)
        for each in self.second_clouds:
            each.tell_interruptions(self.interruptions)
            each.start()
        # Read first with made-up addresses, for its triggers: the real addresses exist only once
        # the servers listen.
        draft = self._load_stack(oss_url="http://127.0.0.1:1", bailian_url=options.base_url, urls={})
        self._oss_triggers = [each for each in draft.triggers if isinstance(each, OssTrigger)]
        self.invoker = self._open_invoker(draft)
        self.oss.start()
        if self.bailian:
            self._running.callback(self.bailian.stop)
            self.bailian.interruptions = self.interruptions
            self.bailian.start()
        self.gateway = self._open_gateway(draft)
        http_triggers = [each for each in draft.triggers if isinstance(each, HttpTrigger)]
        stack = self._load_stack(
            oss_url=self.oss.url,
            bailian_url=self.bailian.base_url if self.bailian else options.base_url,
            urls={each: self._url_of(each.function) for each in http_triggers},
        )
        put_cors_rules(self.oss.storage, options.bucket, stack.cors_rules)
        put_bucket_tags(self.oss.storage, options.bucket, stack.bucket_tags)
        self._start_functions(stack)
        self.events.start(stack, self.invoker, self._running)
        self.gateway.start()

    def _url_of(self, function: str) -> str:
        if function == PAGE:
            return self.gateway.url  # as if it had a domain of its own
        # The real Bailian cannot reach this machine; without a URL the timer polls.
        return self.gateway.url_of(function) if self.bailian else ""

    def _load_stack(self, *, oss_url: str, bailian_url: str, urls: Mapping[HttpTrigger, str]) -> Stack:
        parameters = {
            "DashScopeBaseUrl": bailian_url,
            "OssEndpoint": oss_url,
            "DashScopeApiKey": self.api_key if "bailian" in self.options.providers else "",
        }
        return local_stack(self.options, self.second_clouds, parameters, urls)

    def _open_invoker(self, stack: Stack) -> AsyncInvoker:
        workers = self.options.workers
        return AsyncInvoker(
            invoke=self.host.invoke,
            directory=self._own_dir,
            policies={
                function: AsyncPolicy(config.max_retries, config.max_age_s, concurrency=workers)
                for function, config in stack.async_configs.items()
            },
            default_policy=AsyncPolicy(concurrency=workers),
            faults=self.delivery_faults,
            region=REGION,
            interruptions=self.interruptions,
        )

    def _open_gateway(self, stack: Stack) -> Gateway:
        gateway = Gateway(
            call=self.host.http,
            triggers=[each for each in stack.triggers if isinstance(each, HttpTrigger)],
            status=self._status,
            publish=self.events.publish,
            faults=self.delivery_faults,
            api_key=self.keys.api_key,
            port=self.options.gateway_port,
            site=PAGE,
        )
        self._running.callback(gateway.stop)
        return gateway

    def _start_functions(self, stack: Stack) -> None:
        self._running.callback(self.host.stop)
        for spec in stack.functions:
            key = self._keys.issue(spec.logical_id, spec.statements)
            self.host.add(worker_spec_for(spec, key, self.logs_dir), size=self.options.workers)
        self._running.callback(self.invoker.stop)
        self.invoker.start()

    def _opened(
        self, provider: str, directory: Callable[[Path], Path], cloud: Callable[[CloudOptions], Second]
    ) -> Second | None:
        if provider not in self.options.providers:
            return None
        self._running.enter_context(locked(directory(self.options.data_dir)))
        opened = cloud(self.options)
        self._running.callback(opened.stop)
        return opened

    def _local_bailian(self) -> LocalBailian:
        options = self.options
        return LocalBailian(
            options.data_dir,
            self.api_key,
            upstream=options.answerer(),
            concurrency=options.concurrency,
            batch_delay_s=options.batch_delay_s,
            on_finished=self._on_batch,
            oss=OssInput(self.oss, self.keys),
        )

    def _on_object(self, event: ObjectEvent) -> None:
        for function in functions_for_object(self._oss_triggers, event.event_name, event.key):
            self.invoker.accept(function, render_oss_event(event))

    def _on_batch(self, finished: FinishedBatch) -> None:
        self._takes_events.wait()
        self.events.publish(batch_event(finished))

    def _status(self) -> object:
        logs = {name: pool.spec.log_path for name, pool in self.host.pools.items()}
        # No function is called both ways.
        counts = self.invoker.counts() | self.gateway.counts()
        dead_letters = self._own_dir / "dead-letters.jsonl"
        return status(
            logs,
            counts,
            services=self._services(),
            dead_letters=dead_letters,
            interrupted=self.interruptions.reasons,
        )

    def _services(self) -> dict[str, str]:
        bailian = {"Bailian": self.bailian.base_url} if self.bailian else {}
        others = {name: url for each in self.second_clouds for name, url in each.services().items()}
        return {"OSS": self.oss.url, **bailian, **others}
