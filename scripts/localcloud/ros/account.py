"""An empty account on this machine: what a deployment finds before it, and what it deploys to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from scripts.bundle.bytecode import find_interpreter
from scripts.localcloud.access.own_keys import own_keys
from scripts.localcloud.actions.objects import Objects
from scripts.localcloud.actions.refusal import Refusal
from scripts.localcloud.assembly import Assembly
from scripts.localcloud.bailian.api.oss_input import OssInput
from scripts.localcloud.bailian.batches.batch_events import FinishedBatch, batch_event
from scripts.localcloud.bailian.local_bailian import LocalBailian
from scripts.localcloud.data_lock import locked
from scripts.localcloud.events.delivery_faults import DeliveryFaults
from scripts.localcloud.events.triggers import CloudEvent
from scripts.localcloud.fc.gateway import Gateway
from scripts.localcloud.fc.invocations import AsyncInvoker
from scripts.localcloud.fc.workers.pool import FunctionHost
from scripts.localcloud.options import REGION
from scripts.localcloud.oss.local_oss import LocalOss
from scripts.localcloud.oss.operations.tag_operations import put_bucket_tags
from scripts.localcloud.ros.app import create_app
from scripts.localcloud.ros.identity import AccountKeys, Identity
from scripts.localcloud.ros.resources import Resource
from scripts.localcloud.ros.rights import needed_for
from scripts.localcloud.ros.ros_actions import RosActions
from scripts.localcloud.ros.running import Platform, RunningStacks
from scripts.localcloud.ros.services import Services
from scripts.localcloud.ros.stacks import Stacks
from scripts.localcloud.servers.local_server import HOST
from scripts.localcloud.servers.wsgi_server import QuietHandler, WsgiServer
from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.object_events import ObjectEvent
from scripts.template.read import BUCKET, FUNCTION


@cache
def _runs_here(python: str) -> bool:
    return find_interpreter(python) is not None


class LocalAccount(Assembly):
    """Everything on 127.0.0.1. Buckets and objects outlive ``stop``, stacks do not.

    Attributes:
        keys: The account's own key, and users and functions with less.
        services: Which services are open.
    """

    def __init__(
        self, data_dir: Path, *, batch_delay_s: float = 0.0, workers: int = 2, timer_interval_s: float = 2.0
    ) -> None:
        super().__init__()
        self._running.enter_context(locked(data_dir))
        self.data_dir = data_dir
        self._own_dir = data_dir / ".localcloud"
        self.own_keys = own_keys(data_dir)
        self.keys = AccountKeys({self.own_keys.access_key_id: self.own_keys.access_key_secret}, REGION)
        self.services = Services(self.keys)
        self.oss = self._opened_oss()
        self.bailian = LocalBailian(
            data_dir,
            self.own_keys.api_key,
            batch_delay_s=batch_delay_s,
            on_finished=self._on_batch,
            oss=OssInput(self.oss, self.own_keys),
        )
        self._objects = Objects(lambda: self.oss.storage)
        self.host = FunctionHost()
        self.invoker = AsyncInvoker(invoke=self.host.invoke, directory=self._own_dir, region=REGION)
        self.gateway = self._opened_gateway()
        self.stacks_at_work = RunningStacks(
            Platform(
                self.host,
                self.invoker,
                self.gateway,
                self.keys,
                self._objects,
                self._own_dir,
                workers,
                timer_interval_s,
            )
        )
        self.stacks = Stacks(self._carry_out, self.stacks_at_work.run)

    @property
    def url(self) -> str:
        """Of everything but OSS and Bailian; known once started."""
        return self._control.url

    def _opened_oss(self) -> LocalOss:
        oss = LocalOss(
            self.data_dir,
            self.keys.secrets,
            REGION,
            self._on_object,
            security_tokens=self.keys.security_tokens,
            authorize=self.keys.authorize,
            scan_interval_s=0.5,
        )
        self._running.callback(oss.stop)
        return oss

    def _opened_gateway(self) -> Gateway:
        gateway = Gateway(
            call=self.host.http,
            triggers=(),
            status=dict,
            publish=self._publish,
            faults=DeliveryFaults(),
            api_key=self.own_keys.api_key,
            site="batchdrop-page",
        )
        self._running.callback(gateway.stop)
        return gateway

    def _start(self) -> None:
        self.oss.start()
        self._running.callback(self.bailian.stop)
        self.bailian.start()
        self._running.callback(self.host.stop)
        self._running.callback(self.invoker.stop)
        self._running.callback(self.stacks_at_work.stop)
        self.invoker.start()
        self.gateway.start()
        actions = RosActions(self.stacks, self.keys, self.gateway.url_of, self._own_dir).actions()
        all_actions = {
            **dict(actions),
            **dict(Identity(self.keys).actions()),
            **dict(self.services.actions()),
        }
        self._control = WsgiServer(HOST, 0, create_app(all_actions, self.keys.secrets), QuietHandler)
        self._running.callback(self._control.stop)
        self._running.callback(self.stacks.stop)
        self._control.start()

    def _on_object(self, event: ObjectEvent) -> None:
        self.stacks_at_work.on_object(event)

    def _publish(self, event: CloudEvent) -> list[str]:
        return self.stacks_at_work.publish(event)

    def _on_batch(self, finished: FinishedBatch) -> None:
        self._takes_events.wait()
        self.stacks_at_work.publish(batch_event(finished))

    def _carry_out(self, caller: str, step: str, resource: Resource) -> None:
        """One step with one resource, with its caller's rights. Raises ``Refusal``."""
        self.services.check_open(resource.kind)
        for action in needed_for(resource.kind, step):
            self.keys.check(caller, action)
        if resource.kind == BUCKET:
            self._bucket(step, resource.properties["BucketName"], resource.properties.get("Tags", {}))
        elif resource.kind == FUNCTION and step != "Delete":
            self._check_code(resource)

    def _bucket(self, step: str, name: str, tags: Mapping[str, str]) -> None:
        storage = self.oss.storage
        try:
            if step == "Delete":
                storage.delete_bucket(name)
                return
            if step == "Create" and name in storage.buckets():
                # https://help.aliyun.com/en/oss/developer-reference/putbucket
                raise Refusal(409, "BucketAlreadyExists", "The requested bucket name is not available.")
            put_bucket_tags(storage, name, tags)
        except refusals.Refusal as refusal:
            raise Refusal(refusal.status, refusal.code, refusal.message) from refusal

    def _check_code(self, resource: Resource) -> None:
        code, runtime = resource.properties["Code"], str(resource.properties["Runtime"])
        bucket, key = code["OssBucketName"], code["OssObjectName"]
        if not self._objects.exists(bucket, key):
            said = f"the zip file {key} in {bucket} does not exist"
            raise Refusal(400, "InvalidArgument", said)
        if not _runs_here(runtime.removeprefix("python")):
            raise Refusal(501, "NotImplemented", f"no {runtime} is installed on this machine")
