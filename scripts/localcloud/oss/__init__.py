"""The local OSS: real HTTP on 127.0.0.1 over a plain directory, so that oss2 works unmodified."""

from scripts.localcloud.oss.events import ObjectEvent, render_cloud_event, render_oss_event
from scripts.localcloud.oss.faults import FaultAction, Faults
from scripts.localcloud.oss.local_oss import LocalOss
from scripts.localcloud.oss.permissions import OBJECT_ACTIONS

__all__ = [
    "OBJECT_ACTIONS",
    "FaultAction",
    "Faults",
    "LocalOss",
    "ObjectEvent",
    "render_cloud_event",
    "render_oss_event",
]
