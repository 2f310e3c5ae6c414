"""What was paid for arrives: each shape of an answer has its place, and the rest is in extra."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest

from shared.results.columns import Answer, RowStatus
from shared.results.replies.result_lines import parse_result_line

CALL = {"id": "c-1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"奥斯陆"}'}}
CALLS = json.dumps([CALL], ensure_ascii=False, separators=(",", ":"))
OLD_CALL = {"name": "f", "arguments": "{}"}
USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


def read(body: Any, status_code: Any = 200, **more: Any) -> Answer:
    response = {"status_code": status_code, "request_id": "r-1", "body": body}
    line = {"id": "x", "custom_id": "q-1", "response": response, "error": None, **more}
    answer = parse_result_line(json.dumps(line, ensure_ascii=False).encode())
    assert answer is not None
    return answer


def chat(*choices: Any, **more: Any) -> dict[str, Any]:
    return {"id": "c", "created": 1, "model": "m", "usage": USAGE, "choices": [*choices], **more}


def choice(reason: str | None = "stop", index: Any = 0, **message: Any) -> dict[str, Any]:
    return {"index": index, "message": {"role": "assistant", **message}, "finish_reason": reason}


def said(**message: Any) -> Answer:
    return read(chat(choice(**message)))


def extra(answer: Answer) -> Any:
    return json.loads(answer.extra) if answer.extra else None


@pytest.mark.parametrize(
    ("message", "content", "beside"),
    [
        ({"content": None, "tool_calls": [CALL]}, CALLS, None),
        ({"content": "", "tool_calls": [CALL]}, CALLS, None),
        ({"content": " \n", "tool_calls": [CALL]}, CALLS, None),
        ({"tool_calls": [CALL]}, CALLS, None),
        ({"content": [], "tool_calls": [CALL]}, CALLS, None),
        ({"content": "Let me look.", "tool_calls": [CALL]}, "Let me look.", {"tool_calls": [CALL]}),
        ({"content": None, "tool_calls": CALL}, CALLS[1:-1], None),
        ({"content": None, "function_call": OLD_CALL}, '[{"name":"f","arguments":"{}"}]', None),
        ({"content": "", "function_call": OLD_CALL, "tool_calls": []}, '[{"name":"f","arguments":"{}"}]', None),
        ({"content": "ok", "function_call": OLD_CALL}, "ok", {"function_call": OLD_CALL}),
        ({"content": "", "tool_calls": [CALL], "function_call": OLD_CALL}, CALLS, {"function_call": OLD_CALL}),
        ({"content": "ok", "tool_calls": [], "function_call": None, "refusal": None}, "ok", None),
    ],
)  # fmt: skip
def test_tool_calls(message: dict[str, Any], content: str, beside: Any) -> None:
    answer = said(**message)

    assert (answer.status, answer.error_code) == (RowStatus.ANSWERED, "")
    assert (answer.content, extra(answer)) == (content, beside)


@pytest.mark.parametrize(
    ("message", "content", "beside"),
    [
        ({"content": None, "refusal": "I cannot."}, "I cannot.", None),
        ({"content": "", "refusal": "我不能回答。"}, "我不能回答。", None),
        ({"refusal": "I cannot."}, "I cannot.", None),
        ({"content": [{"type": "refusal", "refusal": "I cannot."}]}, "I cannot.", None),
        ({"content": "Well.", "refusal": "I cannot."}, "Well.", {"refusal": "I cannot."}),
        ({"content": None, "refusal": "No.", "tool_calls": [CALL]}, CALLS, {"refusal": "No."}),
    ],
)
def test_a_refusal_is_an_answer_with_a_code(message: dict[str, Any], content: str, beside: Any) -> None:
    answer = said(**message)

    assert (answer.status, answer.error_code) == (RowStatus.ANSWERED, "model_refused")
    assert "模型拒绝回答" in answer.error_message
    assert "The model refused" in answer.error_message
    assert (answer.content, extra(answer), answer.retryable) == (content, beside, False)


@pytest.mark.parametrize(
    ("choices", "content", "reason", "beside"),
    [
        ([choice(content="a"), choice(content="b", index=1)], ["a", "b"], "stop", None),
        ([choice(content="b", index=1), choice(content="a")], ["a", "b"], "stop", None),
        (
            [choice(content="c", index=2), choice(content="a"), choice(content="b", index=1)],
            ["a", "b", "c"],
            "stop",
            None,
        ),
        ([{"message": {"content": "a"}}, {"message": {"content": "b"}}], ["a", "b"], "", None),
        (
            [choice(content="a"), choice("length", content="b", index=1)],
            ["a", "b"],
            "length",
            {"choices": [{"index": 0, "finish_reason": "stop"}]},
        ),
        (
            [choice(content="a", reasoning_content="x"), choice(content="b", index=1, reasoning_content="y")],
            ["a", "b"],
            "stop",
            {"choices": [{"index": 1, "reasoning_content": "y"}]},
        ),
        (
            [choice(content="a"), choice(content=None, tool_calls=[CALL], index=1, note=1)],
            ["a", [CALL]],
            "stop",
            {"choices": [{"index": 1, "note": 1}]},
        ),
        ([choice(content=None), choice(content="b", index=1)], [None, "b"], "stop", None),
        (["a", "b"], ["a", "b"], "", None),
        ([choice(content="b", index="1"), choice(content="a", index="0")], ["a", "b"], "stop", None),
        ([choice(content=str(n), index=str(n)) for n in (10, 9, 2, 0)], ["0", "2", "9", "10"], "stop", None),
        ([choice(content="b", index=1), choice(content="a", index="0")], ["a", "b"], "stop", None),
        ([choice(content="a", index="x"), choice(content="b", index="y")], ["a", "b"], "stop", None),
        (
            [choice(content="b", index="1", note=1), choice(content="a", index="0")],
            ["a", "b"],
            "stop",
            {"choices": [{"index": 1, "note": 1}]},
        ),
        (
            [choice(content="a", choices="x"), choice(content="b", index=1, note=1)],
            ["a", "b"],
            "stop",
            {"choices": "x", "other_choices": [{"index": 1, "note": 1}]},
        ),
        (
            [choice("length", content="a"), choice(content="b", index=1, finish_reason="x")],
            ["a", "b"],
            "length",
            {"choices": [{"index": 1, "finish_reason": "stop", "more_finish_reason": "x"}]},
        ),
    ],
)
def test_every_choice_in_the_order_of_index(
    choices: list[Any], content: list[Any], reason: str, beside: Any
) -> None:
    answer = read(chat(*choices))

    assert (answer.status, answer.error_code, answer.finish_reason) == (RowStatus.ANSWERED, "", reason)
    assert (json.loads(answer.content), extra(answer)) == (content, beside)


def test_one_refusal_among_several_choices_is_told() -> None:
    answer = read(chat(choice(content="a"), choice(content=None, refusal="No.", index=1)))

    assert (answer.status, answer.error_code) == (RowStatus.ANSWERED, "model_refused")
    assert json.loads(answer.content) == ["a", "No."]


@pytest.mark.parametrize(
    ("message", "content", "reasoning", "beside"),
    [
        ({"content": "42", "reasoning": "six times seven"}, "42", "six times seven", None),
        ({"content": "42", "reasoning": "x", "reasoning_content": None}, "42", "x", None),
        ({"content": "42", "reasoning": "x", "reasoning_content": ""}, "42", "x", None),
        ({"content": "42", "reasoning": "x", "reasoning_content": "x"}, "42", "x", None),
        ({"content": "42", "reasoning": "y", "reasoning_content": "x"}, "42", "x", {"reasoning": "y"}),
        ({"content": "42", "thinking": "x"}, "42", "x", None),
        ({"content": "42", "reasoning": None, "reasoning_content": "x"}, "42", "x", None),
        (
            {"content": "42", "reasoning_content": [{"type": "text", "text": "x"}, {"text": "y"}]},
            "42",
            "xy",
            None,
        ),
        (
            {"content": "42", "reasoning": "x", "reasoning_details": [{"text": "x"}]},
            "42",
            "x",
            {"reasoning_details": [{"text": "x"}]},
        ),
    ],
)
def test_thinking_under_any_name(message: dict[str, Any], content: str, reasoning: str, beside: Any) -> None:
    answer = said(**message)

    assert (answer.content, answer.reasoning_content, extra(answer)) == (content, reasoning, beside)


HM = {"type": "thinking", "thinking": "hm"}
SIGNED = {**HM, "signature": "z"}
HIDDEN = {"type": "redacted_thinking", "data": "d"}


@pytest.mark.parametrize(
    ("blocks", "more", "reasoning", "beside"),
    [
        ([HM], {}, "hm", None),
        (HM, {}, "hm", None),
        ("hm", {}, "hm", None),
        ([HM, HM], {}, "hmhm", None),
        ([SIGNED], {}, "hm", {"thinking_blocks": [SIGNED]}),
        ([SIGNED, HIDDEN], {}, "hm", {"thinking_blocks": [SIGNED, HIDDEN]}),
        ([HIDDEN], {}, "", {"thinking_blocks": [HIDDEN]}),
        ([HM], {"reasoning_content": "hm"}, "hm", None),
        ([SIGNED], {"reasoning_content": "hm"}, "hm", {"thinking_blocks": [SIGNED]}),
        ([HM], {"reasoning_content": "other"}, "other", {"thinking_blocks": [HM]}),
        ([HIDDEN], {"reasoning": "so"}, "so", {"thinking_blocks": [HIDDEN]}),
        ([HM], {"content": [{"type": "thinking", "thinking": "hm"}, {"text": "42"}]}, "hm", None),
        ([HM], {"content": [{"type": "thinking", "thinking": "so"}, {"text": "42"}]}, "hm", {"content_thinking": "so"}),
        ([], {}, "", None),
        (None, {"reasoning": "x"}, "x", None),
    ],
)  # fmt: skip
def test_thinking_in_blocks_beside_the_content(blocks: Any, more: Any, reasoning: str, beside: Any) -> None:
    answer = said(**{"content": "42", "thinking_blocks": blocks, **more})

    assert (answer.content, answer.reasoning_content, extra(answer)) == ("42", reasoning, beside)


IMAGE = {"type": "image_url", "image_url": {"url": "https://x/y.png"}}


@pytest.mark.parametrize(
    ("content", "shown", "reasoning", "beside"),
    [
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab", "", None),
        ([{"text": "图中是猫"}], "图中是猫", "", None),
        ([{"type": "output_text", "text": "a", "annotations": []}], "a", "", None),
        (["a", "b"], "ab", "", None),
        ({"type": "text", "text": "a"}, "a", "", None),
        ({"type": "refusal", "refusal": ""}, '{"type":"refusal","refusal":""}', "", None),
        ({"text": "ok", "label": "x"}, '{"text":"ok","label":"x"}', "", None),
        ({"text": "ok"}, '{"text":"ok"}', "", None),
        ({"type": "A", "n": 1}, '{"type":"A","n":1}', "", None),
        ({"type": "text", "n": 1}, '{"type":"text","n":1}', "", None),
        ({"type": ["text"], "text": "ok"}, '{"type":["text"],"text":"ok"}', "", None),
        ({"type": None, "thinking": "x"}, '{"type":null,"thinking":"x"}', "", None),
        ([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}], "a", "hm", None),
        (
            [
                {"type": "thinking", "thinking": [{"type": "text", "text": "h"}, {"type": "text", "text": "m"}]},
                {"type": "text", "text": "a"},
            ],
            "a",
            "hm",
            None,
        ),
        ([{"type": "reasoning", "text": "hm"}, {"type": "text", "text": "a"}], "a", "hm", None),
        ([{"thinking": "hm"}, {"text": "a"}], "a", "hm", None),
        ([{"type": "text", "text": "a"}, IMAGE], "a", "", {"content": [IMAGE]}),
        ([IMAGE], json.dumps([IMAGE], separators=(",", ":")), "", None),
        (
            [{"type": "text", "text": "a", "citations": ["s"]}],
            "a",
            "",
            {"content_details": [{"type": "text", "citations": ["s"]}]},
        ),
        (
            [{"type": "thinking", "thinking": "hm", "signature": "z"}, {"text": "a"}],
            "a",
            "hm",
            {"content_details": [{"type": "thinking", "signature": "z"}]},
        ),
        ([1, 2], "[1,2]", "", None),
        ({"label": "好评"}, '{"label":"好评"}', "", None),
        (12, "12", "", None),
    ],
)  # fmt: skip
def test_content_that_is_no_text(content: Any, shown: str, reasoning: str, beside: Any) -> None:
    answer = said(content=content)

    assert answer.status is RowStatus.ANSWERED
    assert (answer.content, answer.reasoning_content, extra(answer)) == (shown, reasoning, beside)


@pytest.mark.parametrize(
    ("message", "content", "beside"),
    [
        (
            {"content": None, "audio": {"id": "a", "data": "UklGRg==", "transcript": "你好"}},
            "你好",
            {"audio": {"id": "a", "data": "UklGRg=="}},
        ),
        ({"content": "", "audio": {"transcript": "hi", "data": "UklG"}}, "hi", {"audio": {"data": "UklG"}}),
        ({"content": "hi", "audio": {"data": "UklG", "transcript": "hi"}}, "hi", {"audio": {"data": "UklG", "transcript": "hi"}}),
        ({"content": None, "audio": {"data": "UklG"}}, "", {"audio": {"data": "UklG"}}),
        ({"content": "", "images": [IMAGE]}, "", {"images": [IMAGE]}),
    ],
)  # fmt: skip
def test_sound_and_pictures(message: dict[str, Any], content: str, beside: Any) -> None:
    answer = said(**message)

    assert (answer.status, answer.error_code) == (RowStatus.ANSWERED, "")
    assert (answer.content, extra(answer)) == (content, beside)


LOGPROBS = {"content": [{"token": "是", "logprob": -0.01, "top_logprobs": []}]}


@pytest.mark.parametrize(
    ("body", "beside"),
    [
        (chat(choice(content="x") | {"logprobs": LOGPROBS}), {"logprobs": LOGPROBS}),
        (chat(choice(content="x") | {"logprobs": None, "stop_reason": None}), None),
        (chat(choice(content="x") | {"stop_reason": 0}), {"stop_reason": 0}),
        (chat(choice(content="x", annotations=[])), None),
        (chat(choice(content="x", annotations=[{"url": "u"}])), {"annotations": [{"url": "u"}]}),
        (chat(choice(content="x"), search_info={"n": 1}), {"search_info": {"n": 1}}),
        (chat(choice(content="x"), citations=["u"], prompt_logprobs=None), {"citations": ["u"]}),
        (chat(choice(content="x"), system_fingerprint="fp", service_tier="auto", object="o"), None),
        (chat(choice(content="x", note="m") | {"note": "c"}, note="b"), {"note": "m", "choice_note": "c", "body_note": "b"}),
        (chat(choice(content="x"), created=1.5), {"created": 1.5}),
        (chat(choice(content="x"), usage=[1]), {"usage": [1]}),
        (chat(choice(content="x"), usage=USAGE | {"cost": 4}), {"usage": {"cost": 4}}),
        (chat(choice(content="x"), usage=USAGE | {"cost": 0.25, "a": {"b": 1}}), {"usage": {"cost": 0.25, "a": {"b": 1}}}),
        (chat(choice(content="x"), usage=USAGE | {"cost": None, "plugins": {}}), None),
        (chat(choice(content="x"), usage=USAGE | {"prompt_tokens_details": {"cached_tokens": 1}, "input_tokens": 5}), None),
        (chat(choice(content="x"), data=[]), None),
        (chat(choice(content="x"), error={}), None),
        (chat(choice(content="x"), error={"code": "late"}), {"error": {"code": "late"}}),
    ],
)  # fmt: skip
def test_what_is_not_known_is_kept(body: dict[str, Any], beside: Any) -> None:
    answer = read(body)

    assert (answer.status, answer.content, extra(answer)) == (RowStatus.ANSWERED, "x", beside)


def test_what_is_not_known_around_the_body_is_kept_too() -> None:
    response = {"status_code": 200, "request_id": "r", "body": chat(choice(content="x")), "region": "cn"}
    line = {"custom_id": "q", "response": response, "error": None, "worker": 3}

    answer = parse_result_line(json.dumps(line).encode())

    assert answer is not None
    assert (answer.content, extra(answer)) == ("x", {"region": "cn", "worker": 3})


def packed(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def item(embedding: Any, index: int = 0, **more: Any) -> dict[str, Any]:
    return {"object": "embedding", "index": index, "embedding": embedding, **more}


@pytest.mark.parametrize(
    ("data", "content", "beside"),
    [
        ([item([3], 2), item([2], 1), item([1])], [[1], [2], [3]], None),
        ([item([2], 1), item([1], 0)], [[1], [2]], None),
        ([{"embedding": [1]}, {"embedding": [2]}], [[1], [2]], None),
        ([item(packed(0.5, -0.25))], [0.5, -0.25], None),
        ([item(packed(1.5), 1), item(packed(0.5))], [[0.5], [1.5]], None),
        ([item("AAAA")], "AAAA", None),
        ([item("不是 base64")], "不是 base64", None),
        ([item([1], sparse_embedding=[{"index": 7, "value": 0.1}])], [1], {"sparse_embedding": [{"index": 7, "value": 0.1}]}),
        ([item([1]), item([2], 1, note="n")], [[1], [2]], {"data": [{"index": 1, "note": "n"}]}),
        (item([1]), [1], None),
        ([item([1]), item(None, 1)], [[1], None], None),
    ],
)  # fmt: skip
def test_vectors(data: Any, content: Any, beside: Any) -> None:
    answer = read({"object": "list", "model": "e", "data": data, "usage": USAGE})

    assert answer.status is RowStatus.ANSWERED
    assert (json.loads(answer.content), extra(answer)) == (content, beside)


def test_a_vector_of_base64_has_the_values_of_its_32_bit_floats() -> None:
    (value,) = struct.unpack("<f", struct.pack("<f", 0.1))

    answer = read({"data": [item(packed(0.1))], "model": "e", "usage": USAGE})

    assert json.loads(answer.content) == [value]
