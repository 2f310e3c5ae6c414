from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bucket.money import Money, Price, Quote, Rates, Tier, TokenCounts
from shared.money.quotes.quote import Counted, make_quote
from shared.money.quotes.sample import RowCount, SampleFigures, Spent, make_figures, real_time_worst
from shared.ports.output_bound import OutputBound

RATES = Rates(input=1_000_000, output=4_000_000, thinking=8_000_000)
HALF = Rates(input=500_000, output=2_000_000, thinking=4_000_000)
PRICE = Price(
    model="m",
    currency="CNY",
    thinks="never",
    tiers=(Tier(real_time=RATES, batch=HALF),),
    source="https://example.com",
    read_on=date(2026, 11, 1),
)


def quote(requests: int = 100, most: int | None = 500, *, thinking: int = 0, until_fits: int = 0) -> Quote:
    counted = Counted(requests, input_tokens=100 * requests, input_bytes=400 * requests, longest_bytes=400)
    bound = OutputBound(answer=most, thinking=thinking, write=())
    return make_quote(counted, PRICE, bound, None, "v", until_fits=until_fits)


def figures(rows: list[RowCount], made: Quote, *, unknown: int = 0) -> SampleFigures:
    told = SampleFigures(wanted=len(rows), asked=len(rows) + unknown, answered=len(rows), unknown=unknown)
    counts = TokenCounts(input=sum(row.prompt for row in rows), output=sum(row.output for row in rows))
    known = Money(micros=counts.input + 4 * counts.output, currency="CNY")
    return make_figures(made, told, rows, Spent([counts], known, 0))


def test_the_mean_of_the_sample_stands_for_the_other_rows() -> None:
    rows = [RowCount(100, 110, output) for output in (10, 20, 30, 40)]

    found = figures(rows, quote())

    assert found.output_tokens == 100 * 25
    assert found.input_tokens == 440 + 110 * 96  # as much more than the estimate as it was found
    batch = (110 * 96 * 500_000 + 96 * 25 * 2_000_000) // 1_000_000
    assert found.expected == Money(micros=440 + 4 * 100 + batch, currency="CNY")


def test_as_many_rows_are_asked_again_as_in_the_sample() -> None:
    rows = [RowCount(100, 100, 20, is_misfit=number == 0) for number in range(4)]

    found = figures(rows, quote(until_fits=2))

    again = round((24 + 1) + (24 + 1) / 4)  # a quarter of 96 and the one of the sample; of them a quarter
    assert found.output_tokens == 20 * (4 + 96 + again)
    assert found.input_tokens == 100 * (4 + 96 + again) + again * (20 + 40)
    assert figures(rows, quote()).output_tokens == 20 * 100


def test_the_interval_is_students_by_successive_differences() -> None:
    rows = [RowCount(100, length, output) for length, output in ((10, 10), (20, 20), (30, 10), (40, 20))]

    found = figures(rows, quote())

    # Three differences of 10: a variance of 50; t of 3 degrees of freedom is 2.353.
    margin = 2.353 * (50 * (96 * 96 / 4 + 96)) ** 0.5
    assert found.output_low == round(60 + 96 * 15 - margin)
    assert found.output_high == round(60 + 96 * 15 + margin)
    assert found.low is not None
    assert found.expected is not None
    assert found.high is not None
    assert found.low.micros < found.expected.micros < found.high.micros


def test_output_that_grows_with_the_length_is_no_doubt() -> None:
    steady = [RowCount(100, length, 10 * length) for length in range(1, 21)]
    jumping = [RowCount(100, length, 10 * (7 * length % 20 + 1)) for length in range(1, 21)]

    found = [figures(rows, quote(1000, 5000)) for rows in (steady, jumping)]

    widths = [(each.output_high or 0) - (each.output_low or 0) for each in found]
    assert found[0].output_tokens == found[1].output_tokens
    assert widths[0] < widths[1] / 3


def test_one_row_has_no_interval_and_none_tells_nothing() -> None:
    one, none = figures([RowCount(100, 100, 10)], quote()), figures([], quote(), unknown=5)

    assert (one.output_tokens, one.output_low, one.low) == (1000, None, None)
    assert (none.output_tokens, none.expected) == (None, None)


def test_a_sample_of_all_rows_knows_what_the_job_costs() -> None:
    found = figures([RowCount(100, 100, 10), RowCount(100, 100, 400)], quote(requests=2))

    assert found.expected == found.cost == found.low == found.high == found.at_most


def test_rows_that_may_have_been_charged_are_in_no_batch() -> None:
    rows = [RowCount(100, 100, 10), RowCount(100, 100, 10)]

    assert figures(rows, quote(), unknown=8).output_tokens == 20 + 90 * 10


@given(
    st.lists(
        st.builds(RowCount, st.integers(1, 9999), st.integers(1, 9999), st.integers(0, 500), st.booleans()),
        min_size=2,
    ),
    st.integers(0, 10_000),
    st.integers(0, 3),
)
def test_what_is_expected_lies_within_its_interval_and_below_what_is_possible(
    rows: list[RowCount], more: int, times: int
) -> None:
    made = quote(requests=len(rows) + more, until_fits=times)
    found = figures(rows, made)

    low, about, high = found.output_low, found.output_tokens, found.output_high
    assert low is not None
    assert about is not None
    assert high is not None
    assert sum(row.output for row in rows) <= low <= about <= high <= 500 * made.requests * (1 + times)


@pytest.mark.parametrize("thinking", [0, 1000])
def test_in_real_time_the_worst_case_has_the_real_time_price(thinking: int) -> None:
    worst = real_time_worst(quote(thinking=thinking), 100, 400, 1)

    output = (500 + thinking) * (8 if thinking else 4)
    assert worst == Money(micros=125 + output, currency="CNY")
    assert real_time_worst(quote(most=None), 100, 400, 1) is None
