"""Request lines that hypothesis draws: usual ones, nearly good ones, and damaged ones."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from shared.inputs.requests.quick_requests import RequestMode
from shared.providers.bailian.profile import BAILIAN

RULES = BAILIAN.rules
ROLES = RULES.roles
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
    lambda part: [Members([("type", "text"), ("text", "x"), *part])]
)
SOME_ROLES = st.sampled_from([*ROLES, "User", "", "developer"])
MESSAGES = st.one_of(
    st.tuples(SOME_ROLES, VALUES).map(lambda pair: Members([("role", pair[0]), ("content", pair[1])])),
    st.tuples(VALUES, SOME_ROLES).map(lambda pair: Members([("content", pair[0]), ("role", pair[1])])),
    st.tuples(VALUES, VALUES).map(lambda pair: Members([("content", pair[0]), ("role", pair[1])])),
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


@st.composite
def usual_lines(draw: st.DrawFn, mode: RequestMode) -> tuple[str, bytes]:
    """An id and its request, as programs write them."""
    message = st.fixed_dictionaries({"role": st.just("user"), "content": TEXTS})
    body: dict[str, object] = {"model": mode.model, "temperature": 0.1}
    body["messages"] = draw(st.lists(message, min_size=1, max_size=3))
    if mode.url == "/v1/embeddings":
        body["input"] = draw(st.text(min_size=1) | st.lists(st.text(min_size=1), min_size=1))
    if mode.thinking is not None:
        body["enable_thinking"] = mode.thinking
    fields = {"custom_id": draw(TEXTS), "method": "POST", "url": mode.url, "body": body}
    order = draw(st.permutations(sorted(fields)))
    separators = draw(st.sampled_from([(",", ":"), (", ", ": ")]))
    line = json.dumps(
        {name: fields[name] for name in order}, ensure_ascii=draw(st.booleans()), separators=separators
    )
    return str(fields["custom_id"]), line.encode()
