"""Where is deployed to: an account on Alibaba Cloud by its keys, or one on this machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scripts.localcloud.access.own_keys import keys_of_running
from scripts.localcloud.announce import deployed_folder
from scripts.localcloud.data_lock import is_locked
from scripts.localcloud.options import REGION, REPOSITORY
from scripts.operate.texts.said import Refusal
from scripts.terminal import typed_path

_KEYS = ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET")
_TOKEN = "ALIBABA_CLOUD_SECURITY_TOKEN"  # noqa: S105 (a variable's name)
# A local provider is asked soon, and a local batch is listed at once; see CloudOptions.
_LOCAL_PACE = {"ReadyOverdueS": "5", "PollAfterS": "5", "ResultsLateS": "5", "ClaimLeaseS": "60"}


@dataclass(frozen=True)
class Place:
    """One region of one account, and how it is reached.

    Attributes:
        oss_endpoint: As this machine reaches it.
        control: The address of every other service; empty, each has its own.
        given: Parameters that the place itself knows.
        notes: Where what was deployed is written down for other commands.
    """

    access_key_id: str
    access_key_secret: str = field(repr=False)
    security_token: str = field(repr=False)
    region: str
    oss_endpoint: str
    control: str = ""
    given: Mapping[str, str] = field(default_factory=dict, repr=False)
    notes: Path = REPOSITORY / "batchdrop-data" / "deployed"

    def endpoint(self, name: str) -> tuple[str, str]:
        """Protocol and host of a service, by what its host is called in the cloud."""
        if self.control:
            protocol, _, host = self.control.partition("://")
            return protocol.upper(), host
        return "HTTPS", name.format(region=self.region)


def place_for(env: Mapping[str, str], data_dir: Path | None, region: str) -> Place:
    """The account that the environment's keys open, or the local one that runs on a folder.

    Raises:
        Refusal: Keys are missing, or no account runs there.
    """
    if data_dir is not None:
        return _local(data_dir.expanduser().resolve())
    missing = [name for name in _KEYS if not env.get(name, "").strip()]
    if missing:
        raise Refusal("deploy_no_keys", variables=", ".join(missing))
    key = env.get("DASHSCOPE_API_KEY", "").strip()
    return Place(
        env[_KEYS[0]].strip(),
        env[_KEYS[1]].strip(),
        env.get(_TOKEN, "").strip(),
        region,
        f"https://oss-{region}.aliyuncs.com",
        given={"DashScopeApiKey": key} if key else {},
    )


def account_file(data_dir: Path) -> Path:
    """Where a local account says how it is reached."""
    return data_dir / ".localcloud" / "account.json"


def _local(data_dir: Path) -> Place:
    if not is_locked(data_dir) or not account_file(data_dir).exists():
        raise Refusal("deploy_no_account", folder=data_dir)
    keys = keys_of_running(data_dir)
    told = json.loads(account_file(data_dir).read_text(encoding="utf-8"))
    given = {
        "DashScopeApiKey": keys.api_key,
        "DashScopeBaseUrl": told["bailian"],
        "OssEndpoint": told["oss"],
        "AnsweredBy": "test",
        **_LOCAL_PACE,
    }
    return Place(
        keys.access_key_id,
        keys.access_key_secret,
        "",
        REGION,
        told["oss"],
        told["control"],
        given=given,
        notes=deployed_folder(data_dir),
    )


def given_parameters(
    place: Place, bucket: str, code_bucket: str | None, parameters: tuple[str, ...]
) -> dict[str, str]:
    """The stack's parameters as far as they are given: by the place, by name, by ``NAME=VALUE``.

    Raises:
        Refusal: One is not of that form, or both buckets are the same.
    """
    named = {"BucketName": bucket, "CodeBucket": code_bucket or f"{bucket}-code"}
    given = {**place.given, **named, **pairs(parameters)}
    if given["BucketName"] == given["CodeBucket"]:
        raise Refusal("deploy_same_bucket", bucket=given["BucketName"])
    return given


def pairs(parameters: tuple[str, ...]) -> dict[str, str]:
    """``NAME=VALUE`` by name; of ``NAME=@FILE`` what the file holds, without its last line break.

    Raises:
        Refusal: One is not of that form, or a file is no text.
        OSError: A file cannot be read.
    """
    found = {}
    for text in parameters:
        name, is_one, value = text.partition("=")
        if not is_one:
            raise Refusal("deploy_wrong_parameter", text=text)
        found[name] = _text_of(value[1:]) if value.startswith("@") else value
    return found


def _text_of(file: str) -> str:
    try:
        return typed_path(file).read_text(encoding="utf-8").rstrip("\n")
    except UnicodeDecodeError as error:
        raise Refusal("deploy_no_text", file=file) from error
