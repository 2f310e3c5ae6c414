"""The whole local cloud: OSS, Bailian, triggers, timers and functions, wired from ``template.yaml``."""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import time
from datetime import timezone
from pathlib import Path
from types import TracebackType

from scripts.localcloud.bailian import FinishedBatch, LocalBailian, batch_event
from scripts.localcloud.cron import next_fire
from scripts.localcloud.eventbridge import EventBridge
from scripts.localcloud.faults import DeliveryFaults, FaultKind, FaultRule
from scripts.localcloud.gateway import Gateway
from scripts.localcloud.invocations import AsyncInvoker
from scripts.localcloud.lanes import AsyncPolicy
from scripts.localcloud.options import LOCAL_PARAMETERS, REGION, REPOSITORY, CloudOptions
from scripts.localcloud.oss import LocalOss, ObjectEvent, render_oss_event
from scripts.localcloud.patterns import matches
from scripts.localcloud.rocketmq import RocketMq
from scripts.localcloud.routing import functions_for_object
from scripts.localcloud.stack import (
    EventBridgeTrigger,
    FunctionSpec,
    HttpTrigger,
    OssTrigger,
    RocketMqTrigger,
    Stack,
    TimerTrigger,
)
from scripts.localcloud.status_page import render_status_page
from scripts.localcloud.template import load_stack
from scripts.localcloud.workers import FunctionHost
from scripts.localcloud.worker_process import WorkerSpec

log = logging.getLogger(__name__)
