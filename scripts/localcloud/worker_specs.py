"""What a function's workers are told, from the template and the function's access key."""

from __future__ import annotations

from pathlib import Path

from scripts.localcloud.access.access_keys import TemporaryKey
from scripts.localcloud.fc.worker_process import WorkerSpec
from scripts.localcloud.options import REGION, REPOSITORY
from scripts.template.stack import FunctionSpec


def worker_spec_for(spec: FunctionSpec, key: TemporaryKey, logs_dir: Path) -> WorkerSpec:
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
