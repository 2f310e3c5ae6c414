"""The spool gives back each row's answer, in whatever order and however often answers came."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.results.columns import Answer, RowStatus
from shared.results.rendering import SettledAnswer
from shared.results.spool.answer_spool import AnswerSpool
from tests.support.builders import answered_line, failed_in_output_line, refused_line

IDS = [f"q-{number}" for number in range(4)]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


class _Plain:
    """Renders an answer as its text alone, which has no place for what another line says."""

    text = None

    def __call__(self, answer: Answer) -> tuple[bytes, str]:
        return answer.content.encode(), "answer_not_json" if answer.content.startswith("!") else ""

    def beside(self, _rendered: bytes, _other: Answer) -> None:
        return None


rendered = _Plain()


def found_in(spool: AnswerSpool, index: int) -> tuple[bytes, str] | Answer | None:
    return spool.rendered(index)[:2] if spool.is_answered(index) else spool.reason(index)


# Of an empty answer less counts.
PLAIN = st.tuples(st.sampled_from("a!"), TEXT).map("".join)
LINES = st.one_of(
    st.tuples(st.sampled_from([*IDS, "stranger"]), PLAIN, st.just("answered")),
    st.tuples(st.sampled_from([*IDS, "stranger"]), TEXT.map("because {}".format), st.just("refused")),
    st.tuples(st.sampled_from([*IDS, "stranger"]), st.just("Throttling"), st.just("failed")),
)
# Of two lines of a row the one counts whose kind is further behind.
RANKS = ["failed", "refused", "answered"]
MAKE = {"answered": answered_line, "refused": lambda i, text: refused_line(i, "Bad", text)}


def as_line(custom_id: str, text: str, kind: str) -> bytes:
    if kind == "failed":
        return failed_in_output_line(custom_id, 500, text)
    return MAKE[kind](custom_id, text)


@given(st.lists(LINES, max_size=12), st.integers(0, 12))
def test_an_answer_wins_over_a_reason_and_the_first_of_a_kind_over_the_next(
    said: list[tuple[str, str, str]], cut: int
) -> None:
    lines = [as_line(*each) for each in said]
    with AnswerSpool(IDS, rendered, [].append) as spool:
        spool.add_lines(lines[:cut])
        found_in(spool, 0)  # reading between two files must not disturb writing
        spool.add_lines(lines[cut:])
        found = {custom_id: found_in(spool, index) for index, custom_id in enumerate(IDS)}
        counts = (spool.found, spool.unmatched_lines, spool.repeated_ids, spool.unreadable_lines)

    expected: dict[str, tuple[str, str]] = {}
    for custom_id, text, kind in said:
        if custom_id in IDS and (
            custom_id not in expected or RANKS.index(kind) > RANKS.index(expected[custom_id][1])
        ):
            expected[custom_id] = (text, kind)
    for custom_id, one in found.items():
        text, kind = expected.get(custom_id, ("", "missing"))
        if kind == "missing":
            assert one is None
        elif kind == "answered":
            unread = "answer_not_json" if text.startswith("!") else ""
            assert one == (text.encode(), unread)
        else:
            assert isinstance(one, Answer)
            assert (one.custom_id, one.status, one.retryable) == (
                custom_id, RowStatus.REFUSED, kind == "failed",
            )  # fmt: skip
            assert text in {one.error_message, one.error_code}
    strangers = sum(custom_id not in IDS for custom_id, *_ in said)
    assert counts == (len(expected), strangers, len(said) - strangers - len(expected), 0)


def test_answers_larger_than_any_buffer_come_back_whole() -> None:
    texts = {custom_id: f"{custom_id} " + "长" * (300_000 + n) for n, custom_id in enumerate(IDS)}
    with AnswerSpool(IDS, rendered, [].append) as spool:
        spool.add_lines(answered_line(custom_id, text) for custom_id, text in reversed(texts.items()))

        found = [spool.rendered(index)[0].decode() for index in range(len(IDS))]

    assert found == [*texts.values()]


@given(TEXT, TEXT, st.text(st.characters(exclude_categories=["Cs"])))
def test_what_an_attempt_settled_is_kept_in_one_line(custom_id: str, unread: str, rendered: str) -> None:
    settled = SettledAnswer(custom_id, "answered", unread, rendered.encode())

    line = settled.to_line()

    assert SettledAnswer.from_line(line) == settled
    assert line.count(b"\n") == 1
