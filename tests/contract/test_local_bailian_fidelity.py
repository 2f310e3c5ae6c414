"""What the local Bailian owes a program that was written for the service, through OpenAI's SDK."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import oss2
import pytest
from openai.types import Batch

from scripts.localcloud.access.own_keys import OwnKeys
from scripts.localcloud.bailian.api.oss_input import OssInput
from scripts.localcloud.bailian.local_bailian import LocalBailian
from scripts.localcloud.oss.local_oss import LocalOss
from scripts.localcloud.oss.operations.tag_operations import put_bucket_tags
from shared.ports.profile import CHAT
from shared.providers.bailian.profile import BUCKET_TAG, TEST_MODEL
from tests.support.bailian_requests import chat_line, wait_for
from tests.support.bailian_wire import KEY, TERMINAL, rows

REGION = "cn-beijing"
KEYS = OwnKeys("key", "secret", KEY)


@pytest.fixture
def oss(tmp_path: Path) -> Iterator[LocalOss]:
    with LocalOss(tmp_path, {"key": "secret"}, REGION, lambda event: None, scan_interval_s=3600) as running:
        put_bucket_tags(running.storage, "bucket", dict([BUCKET_TAG]))
        yield running


@pytest.fixture
def sdk(tmp_path: Path, oss: LocalOss) -> Iterator[openai.OpenAI]:
    with LocalBailian(tmp_path, KEY, oss=OssInput(oss, KEYS)) as local:
        yield openai.OpenAI(base_url=local.base_url, api_key=KEY, max_retries=0)


def bucket_of(oss: LocalOss, name: str = "bucket", version: str = "v4", url: str = "") -> oss2.Bucket:
    auth = oss2.make_auth("key", "secret", version)
    return oss2.Bucket(auth, url or oss.url, name, region=REGION)


def uploaded(sdk: openai.OpenAI, *lines: bytes) -> str:
    return sdk.files.create(file=("in.jsonl", b"".join(lines)), purpose="batch").id


def created(sdk: openai.OpenAI, file_id: str, endpoint: Any = CHAT, **more: Any) -> Batch:
    return sdk.batches.create(input_file_id=file_id, endpoint=endpoint, completion_window="24h", **more)


def ended(sdk: openai.OpenAI, batch: Batch) -> Batch:
    return wait_for(lambda: seen if (seen := sdk.batches.retrieve(batch.id)).status in TERMINAL else None)


def answered(sdk: openai.OpenAI, *lines: bytes) -> tuple[Batch, str]:
    """The batch at its end and its output file's text."""
    batch = ended(sdk, created(sdk, uploaded(sdk, *lines)))
    return batch, sdk.files.content(batch.output_file_id).text if batch.output_file_id else ""


def line_with(custom_id: str, **body: Any) -> bytes:
    messages = [{"role": "user", "content": f"question {custom_id} 好"}]
    return chat_line(custom_id, body={"model": "qwen-plus", "messages": messages} | body)


def test_a_row_that_is_to_think_has_its_thinking_beside_the_answer(sdk: openai.OpenAI) -> None:
    _, text = answered(sdk, line_with("1", enable_thinking=True))

    body = json.loads(text)["response"]["body"]
    message, usage = body["choices"][0]["message"], body["usage"]
    assert list(message) == ["role", "content", "reasoning_content"]
    assert message["reasoning_content"] not in ("", message["content"])
    assert 0 < usage["completion_tokens_details"]["reasoning_tokens"] < usage["completion_tokens"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


@pytest.mark.parametrize("body", [{}, {"enable_thinking": False}, {"enable_thinking": None}])
def test_no_other_row_thinks(sdk: openai.OpenAI, body: dict[str, Any]) -> None:
    _, text = answered(sdk, line_with("1", **body))

    answer = json.loads(text)["response"]["body"]
    assert "reasoning_content" not in answer["choices"][0]["message"]
    assert list(answer["usage"]) == ["completion_tokens", "prompt_tokens", "total_tokens"]


def test_a_row_that_is_to_think_gets_no_json(sdk: openai.OpenAI) -> None:
    asked = line_with("json", enable_thinking=True, response_format={"type": "json_object"})

    batch, output = answered(sdk, asked)

    assert (batch.status, output) == ("completed", "")
    line = json.loads(sdk.files.content(batch.error_file_id or "").text)
    assert line["response"]["status_code"] == 400
    assert "enable_thinking is true" in line["response"]["body"]["error"]["message"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"enable_thinking": True}, {"enable_thinking": False}),
        ({"enable_thinking": False}, {"enable_thinking": True}),
        ({"enable_thinking": True}, {}),
        ({}, {"enable_thinking": False}),
    ],
)
def test_a_file_of_two_thinking_modes_fails_as_a_whole(
    sdk: openai.OpenAI, first: dict[str, Any], second: dict[str, Any]
) -> None:
    batch, _ = answered(sdk, line_with("1", **first), line_with("2", **first), line_with("3", **second))

    assert batch.status == "failed"
    (finding,) = (batch.errors and batch.errors.data) or ()
    assert (finding.code, finding.param, finding.line) == (
        "mismatched_thinking_mode",
        "body.enable_thinking",
        3,
    )


@pytest.mark.parametrize("value", ["true", 1, 0, []])
def test_a_thinking_mode_is_true_or_false(sdk: openai.OpenAI, value: object) -> None:
    batch, _ = answered(sdk, line_with("1", enable_thinking=value))

    assert [each.param for each in (batch.errors and batch.errors.data) or ()] == ["body.enable_thinking"]


def test_the_test_model_has_an_endpoint_of_its_own(sdk: openai.OpenAI) -> None:
    batch, _ = answered(sdk, line_with("1", model=TEST_MODEL), line_with("2", model=TEST_MODEL))

    # Recorded on 2026-04-17, batch_ee667cab-f2ee-409d-94f9-23618ca54016.
    findings = [(each.code, each.param, each.line) for each in (batch.errors and batch.errors.data) or ()]
    assert findings == [("mismatched_test_url", "url", 1), ("mismatched_test_url", "url", 2)]


@pytest.mark.parametrize(
    "prompt", ["plain", "a, b: c", '[[say]]{"a": 1, "b": [1, 2]}', "[[refuse:400]]", "[[fail:X]]", "\ud800"]
)
def test_result_lines_have_no_blanks_between_their_parts(sdk: openai.OpenAI, prompt: str) -> None:
    body = {"model": "qwen-plus", "messages": [{"role": "user", "content": prompt}]}
    line = {"custom_id": "1", "method": "POST", "url": CHAT, "body": body}

    batch, output = answered(sdk, json.dumps(line).encode() + b"\n")

    text = output or sdk.files.content(batch.error_file_id or "").text
    assert text.endswith("}\n")
    compact = json.dumps(json.loads(text), ensure_ascii="\\ud800" in text, separators=(",", ":"))
    assert text == compact + "\n"


@pytest.mark.parametrize(("count", "limit"), [(0, 2), (1, 2), (2, 2), (3, 2), (4, 2), (5, 100), (5, 1)])
def test_the_sdk_pages_through_every_batch_once(sdk: openai.OpenAI, count: int, limit: int) -> None:
    file_id = uploaded(sdk, *rows(1))
    ids = [created(sdk, file_id).id for _ in range(count)]

    assert [batch.id for batch in sdk.batches.list(limit=limit)] == ids[::-1]


@pytest.mark.parametrize(
    ("count", "limit", "has_more"), [(1, 2, False), (2, 2, True), (3, 2, True), (2, 20, False)]
)
def test_a_list_has_more_if_its_page_is_full(
    sdk: openai.OpenAI, count: int, limit: int, has_more: bool
) -> None:
    """As in all of the recordings of April 2026, of which one full page was the last."""
    file_id = uploaded(sdk, *rows(1))
    for _ in range(count):
        created(sdk, file_id)

    assert sdk.batches.list(limit=limit).has_more is has_more


@pytest.mark.parametrize("key", ["in/a.jsonl", "in/2026/客户 名单+1%.jsonl", "in/a?b&c=d#e.jsonl"])
def test_a_file_in_oss_is_input_by_its_name(sdk: openai.OpenAI, oss: LocalOss, key: str) -> None:
    bucket_of(oss).put_object(key, b"".join(rows(3)))
    name = f"oss:{REGION}:bucket/{key}"

    batch = created(sdk, name)
    bucket_of(oss).delete_object(key)

    assert batch.input_file_id == name
    assert ended(sdk, batch).request_counts == openai.types.BatchRequestCounts(total=3, completed=3, failed=0)
    assert not list(sdk.files.list(purpose="batch"))


@pytest.mark.parametrize("version", ["v1", "v2", "v4"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "oss.localhost"])
def test_a_file_in_oss_is_input_by_a_signed_url(
    sdk: openai.OpenAI, oss: LocalOss, version: str, host: str
) -> None:
    hosted = bucket_of(oss, version=version, url=oss.url.replace("127.0.0.1", host))
    key = "in/客户 名单.jsonl"
    hosted_url = hosted.sign_url("GET", key, 60)
    bucket_of(oss).put_object(key, b"".join(rows(2)))

    batch = ended(sdk, created(sdk, hosted_url))

    assert (batch.status, batch.input_file_id) == ("completed", hosted_url)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("oss:cn-beijing:bucket/in/none.jsonl", "NoSuchKey"),
        ("oss:cn-beijing:none/in/a.jsonl", "NoSuchBucket"),
        ("oss:cn-beijing:untagged/in/a.jsonl", "bailian-datahub-access=read"),
        ("oss:cn-beijing:BUCKET_/in/a.jsonl", "bucket"),
        ("oss:cn-shanghai:bucket/in/a.jsonl", "cn-beijing"),
        ("oss:cn-beijing:bucket/a.jsonl", "root"),
        ("oss:cn-beijing:bucket", "oss:REGION:BUCKET/"),
        ("oss:cn-beijing:bucket/in/cold.jsonl", "InvalidObjectState"),
        ("oss://bucket/in/a.jsonl", "oss:REGION:BUCKET/"),
        ("{oss}/bucket/in/a.jsonl", "AccessDenied"),
        ("http://127.0.0.1:9/bucket/in/a.jsonl", "no host but"),
        ("http://example.com/in/a.jsonl", "no host but"),
        ("http://127.0.0.1:1@example.com:{port}/in/a.jsonl", "no host but"),
        ("https://bucket.oss-cn-beijing.aliyuncs.com/in/a.jsonl", "no host but"),
    ],
)
def test_what_cannot_be_read_from_oss_is_refused_at_once(
    sdk: openai.OpenAI, oss: LocalOss, name: str, why: str
) -> None:
    bucket_of(oss).put_object("in/a.jsonl", b"".join(rows(1)))
    oss.storage.create_bucket("untagged")
    bucket_of(oss).put_object("in/cold.jsonl", b"", headers={"x-oss-storage-class": "Archive"})
    port = oss.url.rpartition(":")[2]

    with pytest.raises(openai.BadRequestError, match=why) as refused:
        created(sdk, name.format(oss=oss.url, port=port))

    assert refused.value.param == "input_file_id"
    assert not sdk.batches.list().data


def test_a_signature_that_is_wrong_or_over_opens_nothing(sdk: openai.OpenAI, oss: LocalOss) -> None:
    bucket = bucket_of(oss, version="v1")
    bucket.put_object("in/a.jsonl", b"".join(rows(1)))
    url = bucket.sign_url("GET", "in/a.jsonl", 60)

    for wrong in (url.replace("a.jsonl", "b.jsonl"), bucket.sign_url("GET", "in/a.jsonl", -60)):
        with pytest.raises(openai.BadRequestError, match="OSS answered 403"):
            created(sdk, wrong)


def test_a_bad_line_in_oss_is_found_as_in_an_uploaded_file(sdk: openai.OpenAI, oss: LocalOss) -> None:
    bucket_of(oss).put_object("in/a.jsonl", rows(1)[0] + b"no json\n")

    batch = ended(sdk, created(sdk, f"oss:{REGION}:bucket/in/a.jsonl"))

    assert [each.line for each in (batch.errors and batch.errors.data) or ()] == [2]


def test_a_batch_from_oss_goes_on_after_a_restart(tmp_path: Path, oss: LocalOss) -> None:
    bucket_of(oss).put_object("in/a.jsonl", b"".join(rows(2)))
    local = LocalBailian(tmp_path, KEY, oss=OssInput(oss, KEYS))
    local.faults.paused = True
    with local:
        sdk = openai.OpenAI(base_url=local.base_url, api_key=KEY, max_retries=0)
        batch = created(sdk, f"oss:{REGION}:bucket/in/a.jsonl")
    local.faults.paused = False

    with local:
        assert ended(sdk, batch).status == "completed"


def test_what_the_service_is_not_known_to_take_is_never_passed_over(sdk: openai.OpenAI) -> None:
    file_id = uploaded(sdk, *rows(1))
    calls = [
        lambda: sdk.files.list(order="asc"),
        lambda: sdk.batches.list(extra_query={"order": "asc"}),
        lambda: sdk.batches.retrieve("batch_x", extra_query={"expand": "1"}),
        lambda: created(sdk, file_id, output_expires_after={"anchor": "created_at", "seconds": 3600}),
        lambda: sdk.files.create(
            file=b"{}", purpose="batch", expires_after={"anchor": "created_at", "seconds": 3600}
        ),
        lambda: sdk.files.create(file=b"{}", purpose="file-extract"),  # type: ignore[arg-type]
        lambda: created(sdk, file_id, endpoint="/v1/responses"),
    ]
    for call in calls:
        with pytest.raises(openai.BadRequestError):
            call()


def test_what_is_not_emulated_is_not_implemented(sdk: openai.OpenAI) -> None:
    calls = [
        sdk.models.list,
        lambda: sdk.uploads.create(bytes=1, filename="a", mime_type="a/b", purpose="batch"),
    ]
    for call in calls:
        with pytest.raises(openai.InternalServerError) as refused:
            call()
        assert refused.value.status_code == 501
