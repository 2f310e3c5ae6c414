import json

import pytest
from pydantic import SecretStr

from shared.bucket.money import Money
from shared.problems.exceptions import ConfigurationError
from shared.runtime.secret_parts import secrets_from
from shared.runtime.settings import Settings, log_level_from
from shared.runtime.wiring.providers.profiles import provider_choice

REQUIRED = {"BUCKET_NAME": "drop", "OSS_ENDPOINT": "http://127.0.0.1:9", "OSS_REGION": "cn-hangzhou"}


def complaint(env: dict[str, str]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_env(env)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_the_required_variables_are_enough():
    settings = Settings.from_env(REQUIRED)

    assert settings.bucket_name == "drop"
    assert settings.dashscope_base_url == "https://dashscope.aliyuncs.com/compatible-mode/v1"
    assert (settings.claim_lease_s, settings.log_level, settings.callback_base_url) == (900, "INFO", None)


def test_all_bad_and_missing_variables_are_named_in_one_error():
    env = {
        "BUCKET_NAME": "drop",
        "CLAIM_LEASE_S": "0",
        "POLL_AFTER_S": "soon",
        "CALLBACK_SECRET": "short",
        "CALLBACK_BASE_URL": "ftp://x",
        "LOG_LEVEL": "loud",
    }

    text = complaint(env)

    for name in (
        "OSS_ENDPOINT is missing",
        "OSS_REGION is missing",
        "CLAIM_LEASE_S",
        "POLL_AFTER_S",
        "CALLBACK_SECRET",
        "CALLBACK_BASE_URL must be a URL",
        "LOG_LEVEL",
    ):
        assert name in text
    assert "BUCKET_NAME" not in text


def test_no_error_shows_a_value():
    text = complaint({**REQUIRED, "CALLBACK_SECRET": "too-short-s3c", "DASHSCOPE_BASE_URL": "sk-pasted-here"})

    assert "s3c" not in text
    assert "sk-pasted" not in text


@pytest.mark.parametrize("empty", ["", "  ", "\n"])
def test_an_empty_variable_counts_as_unset(empty: str):
    assert Settings.from_env({**REQUIRED, "DEFAULT_MODEL": empty}).default_model == "qwen-flash"
    assert "BUCKET_NAME is missing" in complaint({**REQUIRED, "BUCKET_NAME": empty})


def test_a_pasted_line_end_and_a_trailing_slash_do_no_harm():
    env = {
        **REQUIRED,
        "DASHSCOPE_API_KEY": "sk-1\n",
        "CALLBACK_BASE_URL": "https://cb.example/ ",
        "LOG_LEVEL": "debug",
    }

    settings = Settings.from_env(env)

    assert settings.dashscope_api_key == SecretStr("sk-1")
    assert settings.callback_base_url == "https://cb.example"
    assert settings.log_level == "DEBUG"


def test_what_a_function_needs_is_named_when_it_is_used():
    settings = Settings.from_env(REQUIRED)

    with pytest.raises(ConfigurationError, match="CALLBACK_SECRET"):
        settings.require_callback_secret()


def test_the_settings_never_show_their_secrets():
    settings = Settings.from_env(
        {**REQUIRED, "DASHSCOPE_API_KEY": "sk-1", "CALLBACK_SECRET": "0123456789abcdef"}
    )

    assert "sk-1" not in f"{settings!r} {settings} {settings.model_dump_json()}"
    assert "0123456789abcdef" not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_every_variable_has_a_meaning_for_the_readme():
    variables = {variable.name: variable for variable in Settings.variables()}

    assert variables["BUCKET_NAME"].is_required
    assert variables["CLAIM_LEASE_S"].default == "900"
    assert variables["DASHSCOPE_API_KEY"].default is None
    assert all(variable.meaning.endswith(".") for variable in variables.values())


def test_the_log_level_is_readable_when_other_settings_are_bad():
    assert log_level_from({"LOG_LEVEL": " debug"}) == "DEBUG"
    assert log_level_from({"LOG_LEVEL": "loud"}) == "INFO"
    assert log_level_from({}) == "INFO"


def test_every_secret_setting_is_one_that_is_masked():
    env = {
        name: f"a value of {name}"
        for name in (
            *("DASHSCOPE_API_KEY", "ARK_ACCESS_KEY_ID", "ARK_SECRET_ACCESS_KEY", "ARK_API_KEY"),
            *("TENCENT_SECRET_ID", "TENCENT_SECRET_KEY", "CALLBACK_SECRET", "EVENTBRIDGE_TOKEN"),
        )
    }

    assert set(secrets_from({**env, "BUCKET_NAME": "not a secret"})) == set(env.values())
    assert secrets_from({"DASHSCOPE_API_KEY": "k", "CALLBACK_SECRET": ""}) == ()


@pytest.mark.parametrize(
    "region", ["evil.example/", "cn-beijing.evil", "cn_beijing", "CN-BEIJING", "cn-", "cn-beijing@x"]
)
def test_a_region_cannot_name_another_host(region: str):
    with pytest.raises(ConfigurationError, match="EVENTBRIDGE_REGION must be a region"):
        Settings.from_env({**REQUIRED, "EVENTBRIDGE_REGION": region})


@pytest.mark.parametrize(
    ("variable", "value", "complaint_of"),
    [
        ("ARK_HOST", "https://open.volcengineapi.com", "ARK_HOST must be the name of a host"),
        ("ARK_HOST", "http://open.volcengineapi.com", "ARK_HOST is only for tests"),
        ("ARK_HOST", "open.volcengineapi.com/path", "ARK_HOST must be the name of a host"),
        ("TOS_ENDPOINT", "https://tos-cn-beijing.volces.com", "TOS_ENDPOINT must be the name of a host"),
        ("TOS_PROXY", "tos-cn-beijing.volces.com:80", "TOS_PROXY is only for tests"),
        ("TOS_PROXY", "127.0.0.1.evil.example:80", "TOS_PROXY is only for tests"),
        ("TOS_PREFIX", "/batchdrop/", "TOS_PREFIX must be a folder"),
        ("TOS_PREFIX", "batchdrop", "TOS_PREFIX must be a folder"),
        ("ARK_REGION", "cn_beijing", "ARK_REGION must be a region"),
        ("ARK_RUNNING_JOBS", "0", "ARK_RUNNING_JOBS"),
        ("ARK_WEEKLY_JOBS", "0", "ARK_WEEKLY_JOBS"),
        ("ARK_WEEKLY_JOBS", "many", "ARK_WEEKLY_JOBS"),
    ],
)
def test_a_place_to_which_keys_or_files_go_is_checked(variable: str, value: str, complaint_of: str):
    assert complaint_of in complaint({**REQUIRED, variable: value})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ARK_HOST", "http://127.0.0.1:8080"),
        ("ARK_HOST", "open.ap-southeast-1.byteplusapi.com"),
        ("TOS_ENDPOINT", "tos-cn-beijing.ivolces.com"),
        ("TOS_PROXY", "localhost:9"),
        ("TOS_PREFIX", "teams/a/"),
    ],
)
def test_a_place_that_can_be_meant_is_taken_as_it_is(variable: str, value: str):
    assert getattr(Settings.from_env({**REQUIRED, variable: value}), variable.lower()) == value


def test_the_keys_of_ark_are_never_shown():
    settings = Settings.from_env(
        {**REQUIRED, "ARK_ACCESS_KEY_ID": "AKLT-one", "ARK_SECRET_ACCESS_KEY": "c2VjcmV0", "TOS_BUCKET": "b"}
    )

    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert "AKLT-one" not in shown
        assert "c2VjcmV0" not in shown


@pytest.mark.parametrize("variable", ["PROVIDERS", "DEFAULT_PROVIDER"])
def test_a_provider_that_does_not_exist_is_named_by_the_setting_alone(variable: str):
    settings = Settings.from_env({**REQUIRED, "DEFAULT_MODEL": "m", variable: "sk-pasted"})

    with pytest.raises(
        ConfigurationError, match=f"{variable} names no provider; there is: bailian, ark"
    ) as it:
        provider_choice(settings)
    assert "sk-pasted" not in str(it.value)


@pytest.mark.parametrize("model", ["", "qwen-flash"])  # template.yaml passes its own default
def test_another_provider_needs_a_default_model_of_its_own(model: str):
    text = complaint({**REQUIRED, "DEFAULT_PROVIDER": "ark", "DEFAULT_MODEL": model})

    assert text == (
        "environment: DEFAULT_MODEL must be set to a model of DEFAULT_PROVIDER: qwen-flash is one of bailian"
    )


def test_a_default_model_that_was_chosen_is_taken():
    chosen = {"DEFAULT_PROVIDER": "ark", "DEFAULT_MODEL": "doubao-seed-2-1-pro-260628"}

    assert Settings.from_env({**REQUIRED, **chosen}).default_model == "doubao-seed-2-1-pro-260628"
    assert Settings.from_env({**REQUIRED, "DEFAULT_PROVIDER": "bailian"}).default_model == "qwen-flash"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIONE_RESOURCE", "TI.S.MEDIUM.POST"),
        ("TIONE_RESOURCE", "{}"),
        ("TIONE_RESOURCE", '["a"]'),
        ("TIONE_IMAGE", "two words"),
        ("TIONE_IMAGE", '{"ImageUrl": "x"}'),
        ("TIONE_IMAGE", '{"ImageUrl"'),
        ("TIONE_SERVER_COMMAND", 'vllm serve "{model}'),
        ("TIONE_API", "trainings"),
        ("TIONE_HOST", "http://tione.example"),
        ("COS_ADDRESS", "cos.example:80"),
    ],
)
def test_what_a_task_is_made_of_is_checked_at_the_start_and_not_shown(name: str, value: str):
    text = complaint({**REQUIRED, name: value})

    assert text.startswith(f"environment: {name} ")
    assert value not in text
    assert ("InstanceType" in text) == (name == "TIONE_RESOURCE")  # each with an example of its own


def test_each_secret_of_a_channel_is_one_that_is_never_written() -> None:
    channels = {
        "slack": {"team": {"url": "https://hooks.slack.com/services/T0/B0/X0"}},
        "dingtalk": {
            "team": {"url": "https://oapi.dingtalk.com/robot/send?access_token=a-token", "secret": "SEC-1234"}
        },
        "email": {"boss": {"host": "localhost", "password": "of-the-mailbox", "port": 465}},
    }

    secrets = secrets_from({"NOTIFY_CHANNELS": json.dumps(channels)})

    assert {
        "/services/T0/B0/X0",
        "/robot/send?access_token=a-token",
        "SEC-1234",
        "of-the-mailbox",
        "https://hooks.slack.com/services/T0/B0/X0",
    } <= {*secrets}
    assert "localhost" not in secrets


@pytest.mark.parametrize("given", ["", "{", "[]", "7", '{"slack": 7}', '{"url": 7}', "[" * 100_000])
def test_channels_that_cannot_be_read_have_no_secrets_but_themselves(given: str) -> None:
    assert set(secrets_from({"NOTIFY_CHANNELS": given})) <= {given}


def test_an_amount_needs_its_currency():
    assert Settings.from_env(REQUIRED | {"MONTH_BUDGET": ""}).month_budget is None
    assert Settings.from_env(REQUIRED | {"MONTH_BUDGET": "500 CNY"}).month_budget == Money(
        micros=500_000_000, currency="CNY"
    )
    assert "MONTH_BUDGET" in complaint(REQUIRED | {"MONTH_BUDGET": "500"})
