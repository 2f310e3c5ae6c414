"""The settings by which a function reaches the bucket and the providers."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, SecretStr

from shared.providers.ark.profile import RUNNING_JOBS
from shared.providers.tione.profile import RUNNING_TASKS
from shared.runtime.setting_types import (
    Command,
    Folder,
    Host,
    HostOrOwnUrl,
    HttpUrl,
    Image,
    OwnHost,
    Region,
    Resource,
)


class CloudSettings(BaseModel):
    """The bucket, then each provider with what it needs beside itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    bucket_name: str = Field(description="The bucket that is queue, ledger and screen.")
    oss_endpoint: str = Field(description="The bucket's OSS endpoint; inside FC the internal one.")
    oss_region: str = Field(
        description="The bucket's region, for example cn-hangzhou; V4 signatures name it."
    )
    dashscope_api_key: SecretStr | None = Field(None, description="The Bailian API key.")
    dashscope_base_url: HttpUrl = Field(
        "https://dashscope.aliyuncs.com/compatible-mode/v1",
        description="Bailian's OpenAI-compatible API.",
    )
    input_from: Literal["upload", "oss"] = Field(
        "upload",
        description="How Bailian gets the requests: by an upload to its file store, or from the bucket itself.",
    )
    ark_access_key_id: SecretStr | None = Field(
        None, description="A Volcengine access key, for Ark and its TOS bucket."
    )
    ark_secret_access_key: SecretStr | None = Field(None, description="Its secret.")
    tos_bucket: str | None = Field(
        None, description="The TOS bucket through which Ark is given its requests; never a versioned one."
    )
    tos_prefix: Folder = Field(
        "batchdrop/", description="The folder of that bucket that is Batchdrop's alone."
    )
    tos_endpoint: Host = Field("tos-cn-beijing.volces.com", description="The bucket's TOS endpoint.")
    tos_proxy: OwnHost | None = Field(
        None, description="Only for tests: host and port of a TOS on this machine."
    )
    ark_host: HostOrOwnUrl = Field(
        "open.volcengineapi.com", description="Ark's control plane, where jobs are created."
    )
    ark_region: Region = Field("cn-beijing", description="The region of Ark and of its bucket.")
    ark_project: str = Field(
        "default", description="The project of Ark's jobs. Quotas are by project: give Batchdrop its own."
    )
    ark_running_jobs: PositiveInt = Field(
        RUNNING_JOBS, description="How many jobs that project may run at once, by Ark's quota centre."
    )
    ark_weekly_jobs: PositiveInt | None = Field(
        None, description="How many jobs that project may create in 7 days; unset, only Ark tells."
    )
    ark_api_key: SecretStr | None = Field(
        None, description="An API key of Ark, which opens single requests: for samples and previews."
    )
    ark_base_url: HttpUrl = Field(
        "https://ark.cn-beijing.volces.com/api/v3", description="Ark's OpenAI-compatible API."
    )
    tencent_secret_id: SecretStr | None = Field(
        None, description="A Tencent Cloud key, for TI-ONE and its COS bucket."
    )
    tencent_secret_key: SecretStr | None = Field(None, description="Its secret.")
    tione_region: Region | None = Field(None, description="The region of TI-ONE, for example ap-shanghai.")
    tione_host: HostOrOwnUrl = Field(
        "tione.tencentcloudapi.com", description="TI-ONE's control plane, where tasks are created."
    )
    tione_api: Literal["batch", "training"] = Field(
        "batch", description="How tasks are created; `training` if the batch actions are withdrawn."
    )
    tione_image: Image | None = Field(
        None,
        description="The image with the model server: its address, or ImageInfo with its registry as JSON.",
    )
    tione_resource: Resource | None = Field(
        None, description="What a task runs on, as JSON: an InstanceType, or a part of a ResourceGroupId."
    )
    tione_server_command: Command | None = Field(
        None, description="Starts the model server in the image; `{model}` is the recipe's model."
    )
    tione_server_url: HttpUrl = Field(
        "http://127.0.0.1:8000/v1", description="Where the model server answers, from within the task."
    )
    tione_concurrency: PositiveInt = Field(32, description="How many rows a task asks at once.")
    tione_running_tasks: PositiveInt = Field(
        RUNNING_TASKS, description="How many tasks may be unfinished at once; each is paid for by the hour."
    )
    cos_bucket: str | None = Field(
        None, description="The COS bucket, name-appid, for TI-ONE's requests; never a versioned one."
    )
    cos_region: Region | None = Field(None, description="The bucket's region; unset, that of TI-ONE.")
    cos_prefix: Folder = Field(
        "batchdrop/", description="The folder of that bucket that is Batchdrop's alone."
    )
    cos_address: OwnHost | None = Field(
        None, description="Only for tests: host and port of a COS on this machine."
    )
