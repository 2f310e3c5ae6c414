from types import SimpleNamespace

import pytest
from pydantic import SecretStr

from shared.problems.exceptions import ConfigurationError
from shared.runtime.context import Credentials, FcContext, context_from_builtin, context_from_headers

HEADERS = {
    "X-Fc-Request-Id": "r-1",
    "x-fc-access-key-id": "HEADER-ID",
    "x-fc-access-key-secret": "header-secret",
    "x-fc-security-token": "header-token",
    "x-fc-function-name": "submit",
    "x-fc-function-handler": "functions.submit.index.handler",
    "x-fc-function-memory": "512",
    "x-fc-region": "cn-hangzhou",
    "x-fc-account-id": "1234",
    "x-fc-qualifier": "LATEST",
}
ENV = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "ENV-ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "env-secret",
    "ALIBABA_CLOUD_SECURITY_TOKEN": "env-token",
}


def builtin(credentials: object = None) -> SimpleNamespace:
    function = SimpleNamespace(name="submit", handler="index.handler", memory=512, timeout=60)
    return SimpleNamespace(
        request_id="r-1", region="cn-hangzhou", account_id="1234", function=function, credentials=credentials
    )


def test_python_3_10_gives_the_credentials_with_the_context():
    given = SimpleNamespace(access_key_id="ID", access_key_secret="secret", security_token="token")

    context = context_from_builtin(builtin(given), ENV)

    assert context.credentials == Credentials("ID", SecretStr("secret"), SecretStr("token"))
    assert (context.request_id, context.memory_mb, context.timeout_s) == ("r-1", 512, 60)


def test_python_3_12_gives_them_in_the_environment():
    raw = builtin()
    del raw.credentials

    assert context_from_builtin(raw, ENV).credentials.access_key_id == "ENV-ID"


def test_the_custom_runtime_gives_them_in_headers_of_any_case():
    context = context_from_headers(HEADERS, ENV)

    assert context.credentials == Credentials(
        "HEADER-ID", SecretStr("header-secret"), SecretStr("header-token")
    )
    assert (context.function_name, context.region, context.qualifier) == ("submit", "cn-hangzhou", "LATEST")


def test_half_of_the_credentials_is_never_completed_from_elsewhere():
    headers = {name: value for name, value in HEADERS.items() if name != "x-fc-access-key-secret"}

    context = context_from_headers(headers, ENV)

    with pytest.raises(ConfigurationError, match="x-fc-access-key-secret"):
        _ = context.credentials


def test_missing_credentials_are_an_error_only_when_they_are_used():
    context = context_from_builtin(None, {})

    with pytest.raises(
        ConfigurationError, match="ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET"
    ):
        _ = context.credentials


def test_a_context_without_numbers_or_security_token_is_fine():
    context = context_from_headers(
        {"x-fc-function-memory": "lots"}, {**ENV, "ALIBABA_CLOUD_SECURITY_TOKEN": ""}
    )

    assert (context.memory_mb, context.timeout_s) == (None, None)
    assert context.credentials.security_token is None


def test_no_representation_shows_a_secret():
    context = context_from_headers(HEADERS, {})

    for text in (repr(context), str(context), repr(context.credentials), str(context.credentials)):
        assert "header-secret" not in text
        assert "header-token" not in text


def test_an_fc_context_is_taken_as_it_is():
    context = FcContext(request_id="r-9")

    assert context_from_builtin(context, ENV) is context
