from __future__ import annotations

import json
import tracemalloc
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.money.tokens.characters import WEIGHTS, estimated_tokens, features
from shared.money.tokens.token_meter import TokenMeter, line_tokens

# Counted with qwen.tiktoken of dashscope 2.0.2.
COUNTED = [
    ("物流很快，质量不错，下次还会再来。", 10),
    ("The quick brown fox jumps over the lazy dog, and then it goes home to sleep for a while.", 21),
    ("1234567890", 10),
]


def line(text: str, number: int = 1) -> bytes:
    body = {"model": "qwen-flash", "messages": [{"role": "user", "content": text}]}
    return json.dumps({"custom_id": f"q-{number}", "body": body}, ensure_ascii=False).encode() + b"\n"


@pytest.mark.parametrize(("text", "tokens"), COUNTED)
def test_a_text_has_about_as_many_tokens_as_the_vendors_vocabulary_gives_it(text: str, tokens: int) -> None:
    assert estimated_tokens(text) == pytest.approx(tokens, rel=0.35)


# By the same vocabulary. Most are in no text that the weights were fitted to.
RARE = {
    "བོད་སྐད་ཀྱི་ཚིག་གྲུབ་འདི་ཡིན།": 41,
    "ქართული ენა ძალიან ლამაზია": 26,
    "Հայերեն լեզու": 13,
    "ພາສາລາວງາມ": 10,
    "မြန်မာဘာသာစကား": 21,
    "ភាសាខ្មែរ": 10,
    "አማርኛ ቋንቋ ነው": 14,
    unicodedata.normalize("NFD", "배송이 빠르고 품질이 좋아요"): 34,
    "ɪntəˈnæʃənəl fəˈnɛtɪk": 19,
    "𝒜𝓁𝓅𝒽𝒶∀∃∑∫": 10,
    "\ue000\ue001\ue002": 9,
    "𠮷𠀀𠀁𠀂": 10,
    "ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ": 13,
    "１２３４５６７": 7,
    "ＡＢＣｄｅｆ": 6,
    "ｶﾀｶﾅ": 4,
    "éèàùâêî": 7,
    "👍👍👍🎉": 4,
    "ꆈꌠꁱꂷꆀꌠ": 15,
}


@pytest.mark.parametrize(("text", "tokens"), RARE.items())
def test_no_script_is_free(text: str, tokens: int) -> None:
    assert tokens <= 1.25 * estimated_tokens(text) <= 2.5 * tokens


def test_each_weight_is_of_something_that_is_counted() -> None:
    assert WEIGHTS.keys() == features("").keys()


def test_what_stands_around_the_text_is_not_its_own() -> None:
    assert line_tokens(line("")) == pytest.approx(8)


def test_escaped_characters_count_as_what_they_stand_for() -> None:
    plain, escaped = line("好评"), json.dumps(json.loads(line("好评"))).encode()

    assert line_tokens(escaped) == line_tokens(plain)


@pytest.mark.parametrize(
    "body",
    [
        {"input": "好评"},
        {"input": ["好", "评"]},
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "好评"}, {"type": "image_url"}]}
            ]
        },
    ],
)
def test_texts_are_found_where_requests_have_them(body: dict[str, object]) -> None:
    assert line_tokens(json.dumps({"body": body}).encode()) >= estimated_tokens("好评")


@given(st.binary(max_size=200))
def test_any_line_has_an_estimate(content: bytes) -> None:
    assert line_tokens(content) >= 0 or estimated_tokens(content.decode(errors="replace")) < 0


def test_of_a_large_file_a_part_is_looked_at_and_the_rest_goes_by_its_bytes() -> None:
    lines = [line("物流很快，" * (number % 7 + 1), number) for number in range(30_000)]
    meter = TokenMeter()

    for start in range(0, len(lines), 500):
        meter.add(b"".join(lines[start : start + 500]))

    assert meter.tokens == pytest.approx(sum(map(line_tokens, lines[:700])) / 700 * 30_000, rel=0.05)
    assert meter.longest_bytes <= 32_000


def test_the_second_half_of_a_file_may_be_in_another_language() -> None:
    chinese = [line("质量不错，" * 20) for _ in range(5_000)]
    english = [line("fast delivery, fine quality " * 20) for _ in range(5_000)]
    meter = TokenMeter()

    for start in range(0, 5_000, 100):
        meter.add(b"".join(chinese[start : start + 100]))
    for start in range(0, 5_000, 100):
        meter.add(b"".join(english[start : start + 100]))

    assert meter.tokens == pytest.approx(5_000 * (line_tokens(chinese[0]) + line_tokens(english[0])), rel=0.1)


def test_a_long_line_is_measured() -> None:
    meter = TokenMeter()
    meter.add(line("a") + line("b" * 70_000) + line("c"))

    assert 70_000 < meter.longest_bytes < 70_200


def test_a_line_of_megabytes_is_looked_at_in_pieces() -> None:
    text = "fast delivery, fine quality " * 100_000 + "物流很快，质量不错，" * 100_000
    meter = TokenMeter()

    tracemalloc.start()
    meter.add(line(text))
    tokens = meter.tokens
    assert meter.shared_tokens == pytest.approx(tokens, rel=0.01)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    whole = 100_000 * (
        estimated_tokens("fast delivery, fine quality ") + estimated_tokens("物流很快，质量不错，")
    )
    assert tokens == pytest.approx(whole, rel=0.1)
    assert peak_bytes < 10 * len(line(text))


def test_what_all_requests_begin_with_is_known() -> None:
    alike = "请判断下面的评论是好评还是差评，只回答一个词。" * 30
    meter = TokenMeter()

    for number in range(100):
        meter.add(line(f"{alike}{number % 7}号评论", number))

    assert meter.shared_tokens == round(estimated_tokens(alike))


def test_requests_that_begin_differently_share_nothing() -> None:
    meter = TokenMeter()
    meter.add(line("好评" * 50) + line("差评" * 50))

    assert meter.shared_tokens == 0


def test_marks_alone_are_no_fewer_than_no_tokens() -> None:
    meter = TokenMeter()
    meter.add(b'{"body": {"input": "- - - - - - - - - - - -"}}\n' * 10)

    assert meter.tokens >= 0
