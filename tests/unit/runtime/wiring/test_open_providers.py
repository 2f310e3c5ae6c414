from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shared.ports.provider import BatchId
from shared.problems.exceptions import ConfigurationError
from shared.providers.bailian.oss_input import OssInput
from shared.runtime.settings import Settings
from shared.runtime.wiring.providers.open_providers import open_providers

PLACE = {"BUCKET_NAME": "b", "OSS_ENDPOINT": "http://127.0.0.1:1", "OSS_REGION": "cn-beijing"}

# No server listens: the first question is answered by an error of the SDK that it has loaded.
ASK = """
import sys
from shared.ports.provider import BatchId
from shared.problems.exceptions import TransientError
from shared.runtime.wiring.providers.open_providers import open_providers
from shared.runtime.settings import Settings
url = "http://127.0.0.1:1/v1"
provider = open_providers(Settings.from_env({**eval(sys.argv[1]), "DASHSCOPE_API_KEY": "k", "DASHSCOPE_BASE_URL": url})).of("bailian").batches
before = "openai" in sys.modules
try:
    provider.status(BatchId("batch_1"))
except TransientError:
    print(before, "openai" in sys.modules)
"""


def test_a_missing_key_is_told_before_any_work_although_the_provider_is_loaded_later():
    with pytest.raises(
        ConfigurationError, match="DASHSCOPE_API_KEY, ARK_ACCESS_KEY_ID or TENCENT_SECRET_ID is missing"
    ):
        open_providers(Settings.from_env(PLACE))


ARK = {"ARK_ACCESS_KEY_ID": "AKLT", "ARK_SECRET_ACCESS_KEY": "secret-of-ark", "TOS_BUCKET": "acme-batch"}
TIONE = {
    "TENCENT_SECRET_ID": "AKID",
    "TENCENT_SECRET_KEY": "secret-of-tencent",
    "TIONE_REGION": "ap-shanghai",
    "TIONE_IMAGE": "ccr.ccs.tencentyun.com/acme/vllm:1",
    "TIONE_RESOURCE": '{"InstanceType": "TI.GN10.2XLARGE40.POST"}',
    "COS_BUCKET": "acme-1250000000",
}


def test_each_provider_with_all_that_it_needs_is_there():
    def opened(env: dict[str, str]) -> list[str]:
        return [each.profile.name for each in open_providers(Settings.from_env({**PLACE, **env}))]

    assert opened({"DASHSCOPE_API_KEY": "k"}) == ["bailian"]
    assert opened(ARK) == ["ark"]
    assert opened(TIONE) == ["tione"]
    assert opened({"DASHSCOPE_API_KEY": "k", **ARK, **TIONE}) == ["bailian", "ark", "tione"]


@pytest.mark.parametrize(("key", "named"), [("", ["bailian"]), ("k", ["bailian", "ark"])])
def test_single_requests_are_answered_where_there_is_a_key_for_them(key: str, named: list[str]):
    env = {**PLACE, "DASHSCOPE_API_KEY": "k", **ARK, **TIONE, "ARK_API_KEY": key}

    opened = open_providers(Settings.from_env(env))

    assert [each.profile.name for each in opened if each.real_time] == named


@pytest.mark.parametrize(
    ("whole", "missing"), [(whole, missing) for whole in (ARK, TIONE) for missing in whole]
)
def test_half_a_set_is_an_error_that_names_what_is_missing_and_shows_no_value(
    whole: dict[str, str], missing: str
):
    env = {name: value for name, value in whole.items() if name != missing}

    with pytest.raises(ConfigurationError) as caught:
        open_providers(Settings.from_env({**PLACE, "DASHSCOPE_API_KEY": "k", **env}))

    assert f"environment: {missing} must be set" in str(caught.value)
    assert not any(value in str(caught.value) for value in whole.values())


@pytest.mark.parametrize("running", [1, 3, 20])
def test_ark_has_two_slots_for_each_job_that_may_run(running: int):
    settings = Settings.from_env({**PLACE, **ARK, "ARK_RUNNING_JOBS": str(running)})

    (pool,) = open_providers(settings).pools

    assert (pool.name, pool.slots) == ("ark", 2 * running)


@pytest.mark.parametrize(("told", "weekly"), [("", None), ("500", 500)])
def test_ark_is_told_how_many_jobs_a_week_may_have(
    monkeypatch: pytest.MonkeyPatch, told: str, weekly: int | None
):
    given = {}
    monkeypatch.setattr("shared.providers.ark.client.open_ark", lambda *_, **options: given.update(options))
    (provider,) = open_providers(Settings.from_env({**PLACE, **ARK, "ARK_WEEKLY_JOBS": told}))

    with pytest.raises(AttributeError):
        provider.batches.status(BatchId("bi-1"))

    assert given["weekly_jobs"] == weekly


@pytest.mark.parametrize(
    ("chosen", "oss"),
    [("", None), ("upload", None), ("oss", OssInput(PLACE["OSS_REGION"], PLACE["BUCKET_NAME"]))],
)
def test_bailian_is_told_of_the_bucket_where_it_is_to_read_there(
    monkeypatch: pytest.MonkeyPatch, chosen: str, oss: OssInput | None
):
    given = []
    monkeypatch.setattr("shared.providers.bailian.client.open_bailian", lambda *told: given.extend(told))
    env = {**PLACE, "DASHSCOPE_API_KEY": "k", "INPUT_FROM": chosen}
    (provider,) = open_providers(Settings.from_env(env))

    with pytest.raises(AttributeError):
        provider.batches.status(BatchId("batch_1"))

    assert given[1:] == ["k", oss]


@pytest.mark.parametrize(("cos_region", "region"), [("", "ap-shanghai"), ("ap-beijing", "ap-beijing")])
def test_tione_is_told_what_every_task_gets(monkeypatch: pytest.MonkeyPatch, cos_region: str, region: str):
    given = {}
    monkeypatch.setattr(
        "shared.providers.tione.client.open_tione", lambda *_, **options: given.update(options)
    )
    env = {**PLACE, **TIONE, "COS_REGION": cos_region, "TIONE_SERVER_COMMAND": "vllm serve '{model}'"}
    (provider,) = open_providers(Settings.from_env(env))

    with pytest.raises(AttributeError):
        provider.batches.status(BatchId("batch-1"))

    settings, staging = given["settings"], given["staging"]
    assert settings.image == {"ImageType": "CCR", "ImageUrl": TIONE["TIONE_IMAGE"]}
    assert settings.resource == {"InstanceType": "TI.GN10.2XLARGE40.POST"}
    assert settings.server("m")["command"] == ["vllm", "serve", "m"]
    assert (staging.bucket, staging.region, staging.prefix) == ("acme-1250000000", region, "batchdrop/")


def test_the_providers_sdk_is_loaded_with_the_first_question():
    command = [sys.executable, "-c", ASK, repr(PLACE)]

    answer = subprocess.run(
        command, cwd=Path(__file__).parents[4], capture_output=True, text=True, check=False
    )

    assert answer.stdout == "False True\n", answer.stderr
