"""How the models of recipes are named in a job."""

from __future__ import annotations

from typing import Any

import pytest

from shared.providers.ark.models import model_reference


@pytest.mark.parametrize(
    ("model", "reference"),
    [
        ("doubao-seed-2-1-pro-260628", {"FoundationModel": {"Name": "doubao-seed-2-1-pro", "ModelVersion": "260628"}}),
        ("doubao-pro-32k@240615", {"FoundationModel": {"Name": "doubao-pro-32k", "ModelVersion": "240615"}}),
        ("deepseek-v3@250324-preview", {"FoundationModel": {"Name": "deepseek-v3", "ModelVersion": "250324-preview"}}),
        ("a-240615@240616", {"FoundationModel": {"Name": "a-240615", "ModelVersion": "240616"}}),
        ("doubao-pro-32k", {"FoundationModel": {"Name": "doubao-pro-32k"}}),
        ("kimi-k2-2406151", {"FoundationModel": {"Name": "kimi-k2-2406151"}}),
        ("豆包-240615", {"FoundationModel": {"Name": "豆包", "ModelVersion": "240615"}}),
        ("cm-20240918-abcde", {"CustomModelId": "cm-20240918-abcde"}),
        ("cm-x-240615", {"CustomModelId": "cm-x-240615"}),
    ],
)  # fmt: skip
def test_a_model_is_a_name_with_or_without_version_or_a_fine_tuned_one(
    model: str, reference: dict[str, Any]
) -> None:
    assert model_reference(model) == reference


@pytest.mark.parametrize(
    "model",
    ["ep-20240918194641-r2nwq", "EP-20240918194641-r2nwq", "Ep-1", "eP-1@240615", "cm-x@1", "CM-x@240615"],
)
def test_an_endpoint_is_no_model_and_a_fine_tuned_one_has_no_version(model: str) -> None:
    with pytest.raises(ValueError, match=model):
        model_reference(model)


def test_a_fine_tuned_model_is_one_in_capitals_too() -> None:
    assert model_reference("CM-20240918-abcde") == {"CustomModelId": "CM-20240918-abcde"}
