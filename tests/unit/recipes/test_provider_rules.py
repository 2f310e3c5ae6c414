"""What a recipe may say depends on the provider that it is for."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from shared.ports.profile import CHAT, EMBEDDINGS, ProviderProfile
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem
from shared.problems.render import Language, render_problem
from shared.providers.ark.profile import ARK, ARK_LIMITS, ark_profile
from shared.providers.bailian.profile import BAILIAN
from shared.providers.tione.profile import TIONE
from shared.recipes.parse import NO_PROMPT, parse_recipe
from tests.support.reading import assert_told

MODEL = "doubao-seed-2-1-pro-260628"
BASE = f"provider: ark\nmodel: {MODEL}\nprompt: '{{{{ a }}}}'\n"
LINES = f"provider: ark\nmodel: {MODEL}\n"


def problems_of(content: str, profile: ProviderProfile = ARK, **about: bool) -> list[Problem]:
    with pytest.raises(UserInputError) as refusal:
        parse_recipe(content.encode(), profile, **about)
    assert_told(refusal.value.problems)
    return list(refusal.value.problems)


def test_a_recipe_for_ark_has_arks_endpoints_parameters_and_window() -> None:
    content = BASE + "parameters: {temperature: 0, thinking: {type: disabled}}\ncompletion_window: 28d\n"

    parsed = parse_recipe(content.encode(), ARK)

    assert (parsed.provider, parsed.model, parsed.endpoint) == ("ark", MODEL, CHAT)
    assert parsed.parameters == {"temperature": 0, "thinking": {"type": "disabled"}}
    assert parsed.completion_window == timedelta(days=28)


@pytest.mark.parametrize(
    ("window", "days"), [("24h", 1), ("25h", 2), ("36h", 2), ("48h", 2), ("671h", 28), ("28d", 28), ("1d", 1)]
)
def test_a_window_is_rounded_up_to_whole_days_and_only_where_it_must_be(window: str, days: int) -> None:
    asked = parse_recipe(f"{BASE}completion_window: {window}\n".encode(), ARK).completion_window

    assert ARK_LIMITS.rounded_window(asked) == timedelta(days=days)
    assert BAILIAN.limits_for("").rounded_window(asked) == asked


def test_a_recipe_of_lines_that_name_their_model_needs_none() -> None:
    parsed = parse_recipe(b"provider: tione\non_bad_rows: skip\n", TIONE, needs_question=False)

    assert (parsed.provider, parsed.prompt) == ("tione", NO_PROMPT)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_model_that_bailian_does_not_know_may_be_meant_for_ark(language: Language) -> None:
    (warning,) = BAILIAN.model_warnings_for(MODEL)

    assert "provider: ark" in render_problem(warning, language)


@pytest.mark.parametrize("window", ["23h", "29d", "673h", "0d", "soon", "7", "1.5d"])
def test_a_window_that_ark_does_not_have_is_refused_with_those_that_it_has(window: str) -> None:
    (problem,) = problems_of(f"{BASE}completion_window: {window}\n")

    assert (problem.code, problem.line) == ("recipe_window", 4)
    for language, words in (
        ("zh", "整数加单位，24h 到 672h，或 1d 到 28d"),
        ("en", "a whole number of hours or days"),
    ):
        assert words in render_problem(problem, language)  # type: ignore[arg-type]


def test_the_windows_of_bailian_are_told_as_before() -> None:
    content = "model: m\nprompt: '{{ a }}'\ncompletion_window: 28d\n"

    (problem,) = problems_of(content, BAILIAN)

    assert "必须是整数加单位，24h 到 336h，或 1d 到 14d，实际为“28d”" in render_problem(problem, "zh")
    assert (
        'it must be a whole number of hours or days, from 24h to 336h or from 1d to 14d, but is "28d"'
        in render_problem(problem, "en")
    )


@pytest.mark.parametrize(
    ("profile", "parameter", "write"),
    [
        (ARK, "enable_thinking: false", "thinking: {type: disabled}"),
        (ARK, "enable_thinking: true", "thinking: {type: enabled}"),
        (ARK, "enable_thinking: 'true'", "thinking: {type: enabled}"),
    ],
)
def test_a_parameter_of_the_other_provider_is_refused_with_what_to_write(
    profile: ProviderProfile, parameter: str, write: str
) -> None:
    (problem,) = problems_of(f"model: m\nprompt: '{{{{ a }}}}'\nparameters:\n  {parameter}\n", profile)

    name = parameter.partition(":")[0]
    assert (problem.code, problem.line, problem.field) == ("foreign_parameter", 4, f"parameters.{name}")
    for language in ("zh", "en"):
        assert write in render_problem(problem, language)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "thinking",
    [
        {"type": "disabled"},
        {"type": "enabled"},
        {"type": "enabled", "budget_tokens": 100},
        {"type": "auto"},
        {},
    ],
)
def test_bailian_is_sent_what_it_may_know_tomorrow(thinking: dict[str, Any]) -> None:
    content = f"model: m\nprompt: '{{{{ a }}}}'\nparameters: {{thinking: {json.dumps(thinking)}}}\n"

    assert parse_recipe(content.encode(), BAILIAN).parameters == {"thinking": thinking}


@pytest.mark.parametrize(
    ("written", "write"),
    [
        ("thinking: false", "thinking: {type: disabled}"),
        ("thinking: true", "thinking: {type: enabled}"),
        ("thinking: disabled", "thinking: {type: disabled}"),
    ],
)
def test_a_word_where_a_mapping_belongs_is_told_as_one(written: str, write: str) -> None:
    (problem,) = problems_of(f"{BASE}parameters: {{{written}}}\n")

    assert (problem.code, problem.values) == ("recipe_parameter_mapping", {"write": write})


def test_what_to_write_instead_is_taken() -> None:
    for profile, parameter in ((ARK, "thinking: {type: disabled}"), (BAILIAN, "enable_thinking: false")):
        assert parse_recipe(
            f"model: m\nprompt: '{{{{ a }}}}'\nparameters: {{{parameter}}}\n".encode(), profile
        )


@pytest.mark.parametrize(
    "model",
    [MODEL, "doubao-pro-32k", "doubao-pro-32k@240615", "cm-20241018184316-xc5t8", "deepseek-v3-250324"],
)
def test_a_model_is_named_in_any_of_arks_ways(model: str) -> None:
    assert parse_recipe(BASE.replace(MODEL, model).encode(), ARK).model == model


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("ep-20241018184316-xc5t8", "endpoint_as_model"),
        ("ep-bi-20241018184316-xc5t8", "endpoint_as_model"),
        ("EP-20241018184316-xc5t8", "endpoint_as_model"),
        ("Ep-1", "endpoint_as_model"),
        ("cm-20241018184316-xc5t8@1", "wrong_model_version"),
        ("CM-x@240615", "wrong_model_version"),
        ("cm-@x", "wrong_model_version"),
        ("cm-", "wrong_model_version"),
        ("doubao-pro-32k@", "wrong_model_version"),
        ("@240615", "wrong_model_version"),
        ("doubao@a@b", "wrong_model_version"),
    ],
)
def test_what_is_no_model_of_ark_is_refused_with_the_reason(model: str, code: str) -> None:
    (problem,) = problems_of(BASE.replace(MODEL, f"'{model}'"))

    assert (problem.code, problem.line, problem.found) == (code, 2, model)


def test_advice_on_a_model_names_one_of_the_provider() -> None:
    for profile, example in ((ARK, MODEL), (BAILIAN, "qwen-flash")):
        (problem,) = problems_of("model: a b\nprompt: '{{ a }}'\n", profile)
        assert f"for example {example}." in render_problem(problem, "en")


def test_no_question_is_missed_beside_lines_for_a_key_that_nobody_knows() -> None:
    for is_beside_lines in (False, True):
        with pytest.raises(UserInputError) as refusal:
            parse_recipe(
                f"provider: ark\nmodel: {MODEL}\nmax_attempts: 1\n".encode(),
                ARK,
                needs_question=False,
                is_beside_lines=is_beside_lines,
            )
        assert [problem.code for problem in refusal.value.problems] == ["recipe_unknown_key"]


def test_the_same_name_is_nothing_to_bailian() -> None:
    assert parse_recipe(b"model: ep-1\nprompt: '{{ a }}'\n", BAILIAN).model == "ep-1"


def test_a_missing_model_is_told_with_one_of_the_provider() -> None:
    for profile, example in ((ARK, MODEL), (BAILIAN, "qwen-flash")):
        (problem,) = problems_of("prompt: '{{ a }}'\n", profile)
        assert f"model: {example}" in render_problem(problem, "en")


@pytest.mark.parametrize(
    ("model", "endpoint"), [("doubao-embedding-large-text-240915", EMBEDDINGS), (MODEL, CHAT)]
)
def test_the_endpoint_follows_from_the_model(model: str, endpoint: str) -> None:
    assert parse_recipe(BASE.replace(MODEL, model).encode(), ARK).endpoint == endpoint


def test_an_endpoint_that_only_bailian_has_is_refused() -> None:
    (problem,) = problems_of(BASE + "endpoint: test\n")

    assert (problem.code, problem.found) == ("recipe_choice", "test")


def test_a_task_asks_ark_for_json_in_its_prompt_alone() -> None:
    content = f"model: {MODEL}\nclassify: {{column: a, labels: [x, y]}}\n"

    parsed = parse_recipe(content.encode(), ARK)

    assert parsed.parameters == {}
    assert "JSON" in parsed.prompt


# Beside request lines.


@pytest.mark.parametrize("more", ["", "endpoint: chat\n", "output: {format: xlsx}\nattempts: 1\n"])
def test_lines_without_a_model_need_no_more_than_one(more: str) -> None:
    parsed = parse_recipe((LINES + more).encode(), ARK, needs_question=False, is_beside_lines=True)

    assert (parsed.model, parsed.prompt) == (MODEL, NO_PROMPT)


@pytest.mark.parametrize("content", ["provider: ark\n", "provider: ark\noutput: {format: xlsx}\n"])
def test_lines_without_a_model_need_it(content: str) -> None:
    (problem,) = problems_of(content, needs_question=False, is_beside_lines=True)

    assert (problem.code, problem.field) == ("recipe_missing_key", "model")


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        ("prompt: '{{ a }}'\n", ["prompt"]),
        ("parameters: {seed: 1}\nsystem: s\n", ["parameters", "system"]),
        ("classify: {column: a, labels: [x, y]}\n", ["classify"]),
    ],
)
def test_what_would_have_no_effect_beside_lines_is_refused(more: str, fields: list[str]) -> None:
    problems = problems_of(LINES + more, needs_question=False, is_beside_lines=True)

    assert [problem.code for problem in problems] == ["recipe_beside_lines"] * len(fields)
    assert [problem.field for problem in problems] == fields
    assert [problem.line for problem in problems] == list(range(3, 3 + len(fields)))


def test_a_table_recipe_beside_lines_that_name_their_model_stays_as_it_was() -> None:
    content = b"model: qwen-plus\nprompt: '{{ a }}'\nprovider: bailian\n"

    assert parse_recipe(content, BAILIAN, needs_question=False, is_beside_lines=True).prompt == "{{ a }}"


# The profile.


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        (b'{"JobID": "bi-20240918194641-r2nwq"}', [b"bi-20240918194641-r2nwq"]),
        (
            b"bi-20240918194641-r2nwq,bi-20240918194642-00000",
            [b"bi-20240918194641-r2nwq", b"bi-20240918194642-00000"],
        ),
        (b"ep-bi-20240918194641-r2nwq", []),
        (b"bi-2024-r2nwq", []),
        (b"bi-20240918194641-R2NWQ", []),
        (b"batch_5b57e198-203e-49c8-bcc3-65e997d51754", []),
    ],
)
def test_an_id_of_a_job_is_found_in_a_message(text: bytes, ids: list[bytes]) -> None:
    assert ARK.batch_id.findall(text) == ids


@pytest.mark.parametrize("running", [1, 3, 20])
def test_as_many_jobs_again_are_sent_as_may_run(running: int) -> None:
    profile = ark_profile(running)

    assert profile.pool_for("any").slots == 2 * running
    assert profile.pools == (profile.pool_for("any"),)


def test_a_parameter_that_is_nearly_one_of_arks_gives_a_warning() -> None:
    (warning,) = ARK.parameter_warnings_for({"temprature": 0, "thinking": {}, "of_tomorrow": 1}, "")

    assert (warning.code, warning.values) == ("unknown_parameter", {"nearest": "temperature"})


def test_each_provider_says_all_that_messages_about_one_need() -> None:
    of_its_bucket = {"region_variable", "project_variable", "bucket_variable", "bucket_address_variable"}
    of_reading_the_bucket = {"input_variable", "bucket_tag", "reading_role"}  # Bailian alone does
    assert ARK.terms.keys() - of_its_bucket == BAILIAN.terms.keys() - of_reading_the_bucket
    assert ARK.rules.other_form.keys() == BAILIAN.rules.other_form.keys()
