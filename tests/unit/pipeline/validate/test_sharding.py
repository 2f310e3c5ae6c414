from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from shared.bucket.attempt import JobId
from shared.inputs.custom_ids import FirstLines
from shared.inputs.quick_requests import QuickRequests, RequestMode
from shared.pipeline.validate.write_shards import ShardWriter
from shared.providers.bailian.profile import BAILIAN
from tests.support.fakes import MemoryStore
from tests.support.reading import read_jsonl

QUICK = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
CHAT = RequestMode("/v1/chat/completions", "m", None)
MODES = [
    CHAT,
    RequestMode("/v1/chat/completions", "m", thinking=False),
    RequestMode("/v1/chat/completions", "m", thinking=True),
    RequestMode("/v1/embeddings", "m", None),
]

TEXTS = st.text(max_size=5) | st.sampled_from(
    ['"content":', "content", '"', "\\", "{", "[" * 120, '{"a":1,"a":2}', "\u2028", "\u0085", "\r\n", "😀"]
)
LEAVES = TEXTS | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


class Members(list[tuple[str, object]]):
    """A JSON object that may have a key twice."""


def members(values: st.SearchStrategy[object]) -> st.SearchStrategy[Members]:
    keys = st.sampled_from(["content", "role", "a", 'x"content', "messages", "body", ""])
    return st.lists(st.tuples(keys, values), max_size=3).map(Members)


VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | members(inner), max_leaves=6)
# A content of parts that have a message's own key, and more often than once.
PARTS = st.lists(st.tuples(st.just("content"), TEXTS), min_size=2, max_size=3).map(
    lambda part: [Members(part)]
)
MESSAGES = st.one_of(
    st.tuples(TEXTS, VALUES).map(lambda pair: Members([("role", pair[0]), ("content", pair[1])])),
    st.tuples(VALUES, TEXTS).map(lambda pair: Members([("content", pair[1]), ("role", pair[0])])),
    TEXTS.map(lambda text: Members([("role", "user"), ("content", text)])),
    members(VALUES),
    VALUES,
)


@st.composite
def requests(draw: st.DrawFn, mode: RequestMode) -> Members:
    """What is nearly a good request; often exactly one."""
    body = Members([("model", mode.model)])
    if mode.url == "/v1/embeddings":
        body.append(("input", draw(TEXTS | VALUES)))
    else:
        body.append(("messages", draw(st.lists(MESSAGES, max_size=3))))
    if mode.thinking is not None:
        body.append(("enable_thinking", draw(st.just(mode.thinking) | st.sampled_from([0, 1, None, True]))))
    body += draw(members(VALUES) | st.just(Members()))
    fields = [("custom_id", draw(TEXTS)), ("method", "POST"), ("url", mode.url), ("body", body)]
    return Members(fields + draw(members(VALUES) | st.just(Members())))


@st.composite
def requests_in_parts(draw: st.DrawFn) -> Members:
    """What is a good request but for its parts, of which nothing around them tells."""
    messages = draw(st.lists(TEXTS | PARTS, min_size=1, max_size=2))
    chat = [Members([("role", "user"), ("content", content)]) for content in messages]
    body = Members([("model", "m"), ("messages", chat)])
    return Members([("custom_id", "1"), ("method", "POST"), ("url", CHAT.url), ("body", body)])


@st.composite
def written(draw: st.DrawFn, value: object) -> str:
    """JSON with the freedom that writers have: blanks, order and escapes."""
    if isinstance(value, Members):
        pairs = draw(st.permutations(value))
        blank = draw(st.sampled_from(["", " ", "\t"]))
        colon = draw(st.sampled_from([":", ": ", " :", ":\t "]))
        return "{" + ("," + blank).join(draw(written(k)) + colon + draw(written(v)) for k, v in pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(draw(written(each)) for each in value) + "]"
    text = json.dumps(value, ensure_ascii=draw(st.booleans()))
    if isinstance(value, str) and value.isalpha() and value.isascii() and draw(st.integers(0, 9)) == 0:
        return f'"\\u{ord(value[0]):04x}{value[1:]}"'
    return text


@st.composite
def damaged(draw: st.DrawFn, line: bytes) -> bytes:
    """One place of the line overwritten with something that has a meaning in JSON."""
    piece = draw(
        st.sampled_from(
            [b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\0", b"\xff", b"\xed\xa0\x80", b"NaN", b"01"]
        )
        | st.sampled_from(
            [rb"\ud83d", rb"\u0063", b"9" * 40, b"[" * 101, b'","content":"', b'"a":1,"a":2,', b""]
        )
    )
    start = draw(st.integers(0, len(line)))
    return line[:start] + piece + line[start + draw(st.integers(0, 3)) :]


@QUICK
@given(data=st.data(), mode=st.sampled_from(MODES), damages=st.integers(0, 2))
def test_what_the_fast_parser_is_sure_of_passes_the_full_checks(
    data: st.DataObject, mode: RequestMode, damages: int
) -> None:
    line = data.draw(written(data.draw(requests(mode)))).encode("utf-8", "surrogatepass")
    for _ in range(damages):
        line = data.draw(damaged(line))
    assume(b"\n" not in line)

    check_sureness(line, mode)


@QUICK
@given(line=requests_in_parts().flatmap(written))
def test_a_content_in_parts_is_sure_only_if_the_full_checks_pass_it(line: str) -> None:
    check_sureness(line.encode(), CHAT)


def check_sureness(line: bytes, mode: RequestMode) -> None:
    quick = QuickRequests()

    custom_id = quick.find_custom_id(line, mode)

    # The first line of a file is always read by the full checks.
    rows, reader = read_jsonl(line)
    found = [problem.code for problem in reader.all_problems.first]
    about_ids = {"empty_custom_id", "custom_id_too_long"}
    if custom_id is not None:
        assert set(found) <= about_ids
        assert rows[0].custom_id == custom_id
        assert (reader.facts.endpoint, reader.facts.model, reader.facts.thinking) == mode
    # However the line was, the parser is free for the next one.
    assert quick.find_custom_id(GOOD, CHAT) == "1"


GOOD = b'{"custom_id":"1","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[1]}}'


@st.composite
def usual_lines(draw: st.DrawFn, mode: RequestMode) -> tuple[str, bytes]:
    """An id and its request, as programs write them."""
    message = st.fixed_dictionaries({"role": st.just("user"), "content": TEXTS})
    body: dict[str, object] = {"model": mode.model, "temperature": 0.1}
    body["messages"] = draw(st.lists(message, min_size=1, max_size=3))
    if mode.url == "/v1/embeddings":
        body["input"] = draw(st.text(min_size=1) | st.lists(st.text(), min_size=1))
    if mode.thinking is not None:
        body["enable_thinking"] = mode.thinking
    fields = {"custom_id": draw(TEXTS), "method": "POST", "url": mode.url, "body": body}
    order = draw(st.permutations(sorted(fields)))
    separators = draw(st.sampled_from([(",", ":"), (", ", ": ")]))
    line = json.dumps(
        {name: fields[name] for name in order}, ensure_ascii=draw(st.booleans()), separators=separators
    )
    return str(fields["custom_id"]), line.encode()


@QUICK
@given(data=st.data(), mode=st.sampled_from(MODES))
def test_the_fast_parser_is_sure_of_every_usual_request(data: st.DataObject, mode: RequestMode) -> None:
    """Else a slip in it would only make everything slow, and no other test would see it."""
    custom_id, line = data.draw(usual_lines(mode))

    assert QuickRequests().find_custom_id(line, mode) == custom_id


@QUICK
@given(data=st.data(), mode=st.sampled_from(MODES), damages=st.integers(1, 3))
def test_a_damaged_copy_of_a_known_line_is_sure_only_if_the_full_checks_pass_it(
    data: st.DataObject, mode: RequestMode, damages: int
) -> None:
    quick = QuickRequests()
    custom_id, line = data.draw(usual_lines(mode))
    assert quick.find_custom_id(line, mode) == custom_id
    for _ in range(damages):
        line = data.draw(damaged(line))
    assume(b"\n" not in line)

    found = quick.find_custom_id(line, mode)

    rows, reader = read_jsonl(line)
    assert found is None or found == rows[0].custom_id
    if found is not None:
        about_ids = {"empty_custom_id", "custom_id_too_long"}
        assert {problem.code for problem in reader.all_problems.first} <= about_ids


@QUICK
@given(
    ids=st.lists(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=3), max_size=30),
    damages=st.sets(st.integers(0, 30)),
    max_requests=st.integers(1, 5),
    max_bytes=st.integers(1, 600),
    chunk_bytes=st.integers(1, 700),
)
def test_sharding_never_loses_repeats_or_reorders(
    ids: list[str], damages: set[int], max_requests: int, max_bytes: int, chunk_bytes: int
) -> None:
    lines = [GOOD.replace(b'"1"', json.dumps(each).encode()) + b"\n" for each in ids]
    for number in damages:
        if number < len(lines):
            lines[number] = b'{"custom_id":1}\n'
    limits = replace(BAILIAN.limits_for("m"), max_requests=max_requests, max_bytes=max_bytes)
    rows, _ = read_jsonl(b"".join(lines), chunk_bytes=chunk_bytes)
    store = MemoryStore()

    with ShardWriter(store, JobId("0" * 16), "run") as writer:
        for row in rows:
            writer.add(row, limits)
        shards = writer.finish()

    written_rows = [line for shard in shards for line in store.get(shard.rows_key).split(b"\n")[:-1]]
    assert b"".join(store.get(shard.requests_key) for shard in shards) == b"".join(
        line for row, line in zip(rows, lines, strict=True) if row.request is not None
    )
    assert len(written_rows) == len(lines) == sum(shard.rows for shard in shards)
    assert [json.loads(line)[0] for line in written_rows] == [row.custom_id for row in rows]
    for shard in shards:
        content = store.get(shard.requests_key)
        assert shard.requests == content.count(b"\n") <= max_requests
        assert shard.size_bytes == len(content)
        assert len(content) <= max_bytes or shard.requests == 1


@settings(QUICK, max_examples=50)
@given(texts=st.lists(st.text(max_size=2)), more=st.sampled_from([0, 1500]))
@example(texts=["", "\0", "\0\0", ""], more=0)
def test_the_first_line_of_every_text_is_known_exactly(texts: list[str], more: int) -> None:
    seen = FirstLines()
    expected: dict[str, int] = {}

    for line, text in enumerate([*texts, *map(str, range(more)), *texts], 1):
        assert seen.first_line_of(text, line) == expected.setdefault(text, line)
