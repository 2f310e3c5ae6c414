"""The local TI-ONE and COS as a program of their own."""

from __future__ import annotations

import re
import signal
import sys
from pathlib import Path

from qcloud_cos import CosConfig, CosS3Client

from tests.support.local_tione import BATCH, TRAINING, caller, code_of
from tests.support.processes import started
from tests.support.waiting import PATIENCE_S, wait_until

TOLD = re.compile(
    r"host <bucket>\.cos\.(\S+)\.myqcloud\.com address http://(\S+):(\d+) tione (\S+) models (\S+)\n"
    r"key (\S+) secret (\S+) region (\S+)"
)


def test_both_can_be_started_from_the_command_line(tmp_path: Path) -> None:
    bucket = "acme-1250000000"
    options = [str(tmp_path), "--bucket", bucket, "--without-batch-tasks", "--region", "ap-shanghai"]
    command = [sys.executable, "-m", "scripts.localcloud.tione", *options]
    with started(command) as program:
        told = program.stdout.readline() + program.stdout.readline()
        found = TOLD.search(told)
        assert found, told
        region, host, port, url, _, secret_id, secret_key, _ = found.groups()
        keys = {"SecretId": secret_id, "SecretKey": secret_key}
        cos = CosS3Client(CosConfig(Region=region, Scheme="http", IP=host, Port=int(port), **keys))
        for key in ("in/task/a", "runner/start.sh", "out/task/"):
            cos.put_object(Bucket=bucket, Key=key, Body=b"1\n")
        call = caller(url, secret_id, secret_key)

        assert code_of(lambda: call("CreateBatchTask", **BATCH.creation("task", "true"))) == "InvalidAction"
        copy = TRAINING.creation("task", "cp /opt/ml/input/data/a /opt/ml/output/b")
        task_id = call("CreateTrainingTask", **copy)["Id"]
        wait_until(
            lambda: call("DescribeTrainingTask", Id=task_id)["TrainingTaskDetail"]["Status"] == "SUCCEED",
            "its end",
            every_s=0.05,
        )

        body = cos.get_object(Bucket=bucket, Key="out/task/b")["Body"].get_raw_stream().read()
        assert body == b"1\n"
        program.send_signal(signal.SIGTERM)
        assert program.wait(PATIENCE_S) == 0
