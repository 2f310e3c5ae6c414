"""Bailian's OpenAI-compatible endpoints for single requests."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from shared.problems.exceptions import ProviderRejected, ProviderTrouble
from shared.problems.problem import Problem
from shared.problems.render import render_both
from shared.providers.bailian.client import open_client
from shared.providers.bailian.errors import translated
from shared.providers.bailian.profile import TEST_ENDPOINT, TEST_MODEL
from shared.providers.bailian.troubles import WRONG_BASE_URL
from shared.providers.single_requests import SingleRequests

_MODEL_CODES = frozenset({"model_not_found", "model_not_supported"})


class BailianRealTime(SingleRequests):
    """Each line names its path and its model."""

    def _body(self, asked: Mapping[str, Any], model: str) -> object:
        if asked["url"] == TEST_ENDPOINT:
            code = "only_in_batches"
            raise ProviderRejected(
                render_both(Problem(code, values={"model": TEST_MODEL})), provider_code=code
            )
        path, body = str(asked["url"]).removeprefix("/v1"), dict(asked["body"])
        try:
            with translated("answer a row", self._client):
                return self._client.post(path, cast_to=object, body=body)
        except ProviderRejected as refusal:
            if refusal.status == HTTPStatus.NOT_FOUND and refusal.provider_code not in _MODEL_CODES:
                remedy = "The operator must correct DASHSCOPE_BASE_URL."
                raise ProviderTrouble(str(refusal), WRONG_BASE_URL, remedy=remedy) from refusal
            raise


def open_bailian_real_time(base_url: str, api_key: str) -> BailianRealTime:
    """The arguments and errors are those of ``open_bailian``."""
    return BailianRealTime(open_client(base_url, api_key))
