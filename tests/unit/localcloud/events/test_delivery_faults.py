from __future__ import annotations

import pytest
from pydantic import ValidationError

from scripts.localcloud.events.delivery_faults import DeliveryFaults, FaultKind, FaultRule


def test_without_rules_everything_arrives_once_and_now() -> None:
    assert DeliveryFaults().deliveries("submit", b"event") == (0.0,)


def test_a_rule_strikes_its_function_and_its_text_only() -> None:
    faults = DeliveryFaults()
    faults.add(FaultRule(kind=FaultKind.DROP, function="submit", contains="订单"))

    assert faults.deliveries("submit", "订单.csv".encode()) == ()
    assert faults.deliveries("submit", b"other.csv") == (0.0,)
    assert faults.deliveries("collect", "订单.csv".encode()) == (0.0,)


def test_a_rule_is_spent_after_its_times() -> None:
    faults = DeliveryFaults()
    faults.add(FaultRule(kind=FaultKind.DUPLICATE, times=2, copies=3))

    assert [len(faults.deliveries("submit", b"event")) for _ in range(4)] == [3, 3, 1, 1]


def test_probability_is_repeatable_by_its_seed() -> None:
    def outcomes(seed: int) -> list[int]:
        faults = DeliveryFaults(seed=seed)
        faults.add(FaultRule(kind=FaultKind.DROP, probability=0.5))
        return [len(faults.deliveries("submit", b"event")) for _ in range(200)]

    assert outcomes(1) == outcomes(1)
    assert outcomes(1) != outcomes(2)
    assert 60 < sum(outcomes(1)) < 140


def test_faults_add_up() -> None:
    faults = DeliveryFaults()
    faults.add(FaultRule(kind=FaultKind.DUPLICATE))
    faults.add(FaultRule(kind=FaultKind.DELAY, delay_s=1.5))

    assert faults.deliveries("submit", b"event") == (1.5, 1.5)


def test_reordering_without_end_stays_within_its_window() -> None:
    faults = DeliveryFaults()
    faults.add(FaultRule(kind=FaultKind.REORDER, delay_s=2.0))

    delays = [faults.deliveries("submit", b"event")[0] for _ in range(50)]

    assert delays != sorted(delays)
    assert all(0 <= delay <= 2.0 for delay in delays)


def test_clear_ends_every_fault() -> None:
    faults = DeliveryFaults()
    faults.add(FaultRule(kind=FaultKind.DROP))
    faults.clear()

    assert faults.deliveries("submit", b"event") == (0.0,)


@pytest.mark.parametrize(
    "document", ['{"kind":"explode"}', '{"kind":"drop","probability":2}', '{"kind":"drop","funktion":"x"}']
)
def test_a_rule_that_means_nothing_is_refused(document: str) -> None:
    with pytest.raises(ValidationError):
        FaultRule.model_validate_json(document)
