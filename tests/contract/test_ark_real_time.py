"""Ark's own in single requests: its form of refusals, names of models, and an API key of theirs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.ark.local_ark import LocalArk
from shared.ports.real_time import Asked
from shared.problems.exceptions import ProviderTrouble
from shared.problems.problem import Problem
from shared.problems.render import render_both
from shared.providers.ark.profile import ARK
from shared.providers.ark.real_time import ArkRealTime, open_ark_real_time
from shared.results.columns import RowStatus
from tests.support.ark import API_KEY, ARK_MODEL, SECRET, ark_line, local_ark
from tests.support.real_time import read
from tests.support.waiting import PATIENCE_S

HELLO = [{"role": "user", "content": "hello"}]
EMBEDDING_MODEL = "doubao-embedding-large-text-240915"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalArk]:
    with local_ark(tmp_path_factory.mktemp("ark")) as on:
        yield on.ark


@pytest.fixture
def ark(running: LocalArk) -> LocalArk:
    running.faults.clear()
    return running


@pytest.fixture
def real_time(ark: LocalArk) -> ArkRealTime:
    return open_ark_real_time(ark.base_url, API_KEY)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ([], 400, "InvalidParameter"),
        ({"messages": HELLO}, 400, "MissingParameter.model"),
        ({"model": ARK_MODEL}, 400, "MissingParameter.messages"),
        ({"model": "no-such-model", "messages": HELLO}, 404, "InvalidEndpointOrModel.NotFound"),
        ({"model": "doubao-pro-32k@240615", "messages": HELLO}, 404, "InvalidEndpointOrModel.NotFound"),
        ({"model": EMBEDDING_MODEL, "messages": HELLO}, 404, "InvalidEndpointOrModel.NotFound"),
    ],
    ids=str,
)
def test_what_the_service_does_not_take_is_refused_in_its_form(
    ark: LocalArk, body: object, status: int, code: str
) -> None:
    headers = {"Authorization": f"Bearer {API_KEY}"}

    answer = requests.post(f"{ark.base_url}/chat/completions", json=body, headers=headers, timeout=PATIENCE_S)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], set(error)) == (
        status,
        code,
        {"code", "message", "param", "type"},
    )


@pytest.mark.parametrize("model", ["doubao-seed-2-1-pro@260628", ARK_MODEL])
def test_a_model_is_named_with_its_version_whichever_way_the_recipe_writes_it(
    real_time: ArkRealTime, model: str
) -> None:
    (answer,) = read(real_time.answers([ark_line("q")], model))

    assert answer.status is RowStatus.ANSWERED


@pytest.mark.parametrize(
    ("status", "code", "trouble"),
    [
        (403, "AccountOverdueError", "account_without_money"),
        (403, "OperationDenied.ServiceNotOpen", "account_without_money"),
        (404, "ModelNotOpen", "model_not_activated"),
        (401, "AuthenticationError", "api_key_refused"),
        (403, "AccessDenied", "permission_missing"),
        (404, "", "wrong_base_url"),
    ],
)
def test_what_somebody_must_mend_is_told_with_the_settings_of_single_requests(
    ark: LocalArk, real_time: ArkRealTime, status: int, code: str, trouble: str
) -> None:
    ark.faults.add(CallFault(route="real_time.chat", status=status, code=code))

    with pytest.raises(ProviderTrouble) as told:
        real_time.answers([ark_line("q")], ARK_MODEL)

    assert told.value.trouble == trouble
    values = {**ARK.terms, **ARK.real_time_terms, "said": told.value.facts}
    shown = render_both(Problem(trouble, values=values))
    assert "ACCESS_KEY" not in shown
    assert "ARK_HOST" not in shown


def test_the_key_of_jobs_opens_no_single_requests(ark: LocalArk) -> None:
    with pytest.raises(ProviderTrouble) as told:
        open_ark_real_time(ark.base_url, SECRET).answers([ark_line("q")], ARK_MODEL)

    assert told.value.trouble == "api_key_refused"


def test_an_overloaded_service_has_run_nothing(ark: LocalArk, real_time: ArkRealTime) -> None:
    ark.faults.add(CallFault(route="real_time.chat", status=429, code="ServerOverloaded"))

    (reply,) = real_time.answers([ark_line("q")], ARK_MODEL)

    assert reply.asked is Asked.REFUSED
