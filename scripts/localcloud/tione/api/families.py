"""The two families of actions, whose names differ and which do the same.

Batch tasks: tencentcloud-sdk-python-tione 3.0.1152, the last one that has them. Training tasks:
3.1.191.
"""

from __future__ import annotations

import base64
import binascii
import json
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict, Field

from scripts.localcloud.actions.forms import Frozen
from scripts.localcloud.tione.api.refusals import invalid
from scripts.localcloud.tione.tasks.task import CosPath, DataConfig, Family


class Parameters(Frozen):
    """Of an action; unknown ones are refused."""

    model_config = ConfigDict(strict=True, extra="forbid")


class _Creation(Parameters):
    """What both families take, by the same names."""

    charge_type: str
    log_enable: bool
    image_info: dict[str, Any] | None = None
    data_configs: tuple[DataConfig, ...] = ()
    resource_group_id: str = ""
    tags: tuple[dict[str, str], ...] = ()
    remark: str = ""
    callback_url: str = ""
    log_config: dict[str, Any] | None = None
    vpc_id: str = ""
    subnet_id: str = ""

    @abstractmethod
    def name(self) -> str: ...

    @abstractmethod
    def resources(self) -> tuple[dict[str, Any], ...]: ...

    @abstractmethod
    def code(self) -> CosPath | None: ...

    @abstractmethod
    def command(self) -> str: ...

    @abstractmethod
    def output(self) -> CosPath: ...


class BatchCreation(_Creation):
    """``CreateBatchTask``; what its metadata calls disabled is unknown here."""

    batch_task_name: str
    resource_config_info: dict[str, Any]
    outputs: tuple[DataConfig, ...] = Field(min_length=1, max_length=1)
    code_package: CosPath | None = None
    start_cmd_base64: str = ""
    model_info: dict[str, Any] | None = None

    def name(self) -> str:
        return self.batch_task_name

    def resources(self) -> tuple[dict[str, Any], ...]:
        return (self.resource_config_info,)

    def code(self) -> CosPath | None:
        return self.code_package

    def command(self) -> str:
        return _decoded("StartCmdBase64", self.start_cmd_base64)

    def output(self) -> CosPath:
        return self.outputs[0].cos_source


class _EncodedStartCmd(Parameters):
    start_cmd_info: str


class TrainingCreation(_Creation):
    """``CreateTrainingTask``, as far as a task needs it that trains nothing."""

    name_: str = Field(alias="Name")
    resource_config_infos: tuple[dict[str, Any], ...] = Field(min_length=1)
    output_: CosPath = Field(alias="Output")
    code_package_path: CosPath | None = None
    encoded_start_cmd_info: _EncodedStartCmd | None = None
    training_mode: str = ""
    framework_name: str = ""
    framework_version: str = ""
    framework_environment: str = ""
    tuning_parameters: str = ""
    envs: tuple[dict[str, str], ...] = ()
    ti_project_id: str = ""

    def name(self) -> str:
        return self.name_

    def resources(self) -> tuple[dict[str, Any], ...]:
        return self.resource_config_infos

    def code(self) -> CosPath | None:
        return self.code_package_path

    def command(self) -> str:
        encoded = self.encoded_start_cmd_info.start_cmd_info if self.encoded_start_cmd_info else ""
        try:
            return str(json.loads(_decoded("EncodedStartCmdInfo", encoded))["StartCmd"])
        except (ValueError, KeyError, TypeError):
            raise invalid("EncodedStartCmdInfo", "it is not the base64 of a StartCmdInfo") from None

    def output(self) -> CosPath:
        return self.output_


def _decoded(field: str, encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError):
        raise invalid(field, "it is not base64") from None


@dataclass(frozen=True)
class Names:
    """What one family calls things.

    Attributes:
        shown_output: The output as a description shows it.
        phases: Its own words for the states that it calls otherwise.
    """

    family: Family
    word: str
    id: str
    name: str
    creation: type[BatchCreation | TrainingCreation]
    shown_output: Callable[[CosPath], dict[str, Any]]
    phases: Mapping[str, str]

    def detail(self) -> str:
        return f"{self.word}TaskDetail"

    def listed(self) -> str:
        return f"{self.word}TaskSet"


def _output_of_batch(output: CosPath) -> dict[str, Any]:
    config = DataConfig(data_source_type="COS", cos_source=output)
    return {"Outputs": [config.model_dump(by_alias=True, mode="json")]}


def _output_of_training(output: CosPath) -> dict[str, Any]:
    return {"Output": output.model_dump(by_alias=True, mode="json")}


BATCH = Names("batch", "Batch", "BatchTaskId", "BatchTaskName", BatchCreation, _output_of_batch, {})
TRAINING = Names(
    "training", "Training", "Id", "Name", TrainingCreation, _output_of_training, {"INIT": "SUBMITTING"}
)
