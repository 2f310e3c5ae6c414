from __future__ import annotations

import threading

import pytest

from shared.stores.pieces.part_sender import WAITING_PER_LINE, PartSender
from tests.support.waiting import PATIENCE_S


def sending_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("part-sender")]


def test_parts_are_sent_in_their_order() -> None:
    sent: list[tuple[int, bytes]] = []
    sender = PartSender(lambda number, part: sent.append((number, part)))

    for number in range(1, 20):
        sender.put(number, bytes([number]))
    sender.finish()

    assert sent == [(number, bytes([number])) for number in range(1, 20)]
    assert sending_threads() == []


def test_no_more_parts_wait_than_memory_is_meant_for() -> None:
    go_on, has_put_one_more = threading.Event(), threading.Event()
    sender = PartSender(lambda _number, _part: go_on.wait() and None)
    for number in range(WAITING_PER_LINE):
        sender.put(number, b"")

    def put_one_more() -> None:
        sender.put(WAITING_PER_LINE, b"")
        has_put_one_more.set()

    thread = threading.Thread(target=put_one_more)
    thread.start()
    waited = not has_put_one_more.wait(0.05)
    go_on.set()
    thread.join()
    sender.finish()

    assert waited
    assert has_put_one_more.is_set()


def test_a_part_that_fails_is_told_by_every_later_call_and_nothing_is_sent_after_it() -> None:
    sent: list[int] = []

    def send(number: int, _part: bytes) -> None:
        sent.append(number)
        if number == 2:
            raise ConnectionError("cut")

    sender = PartSender(send)
    with pytest.raises(ConnectionError):
        for number in range(1, 10):
            sender.put(number, b"")

    with pytest.raises(ConnectionError):
        sender.put(10, b"")
    with pytest.raises(ConnectionError):
        sender.finish()
    assert sending_threads() == []
    assert 10 not in sent
    assert len(sent) <= 2 + WAITING_PER_LINE


def test_a_last_part_that_fails_is_told_at_the_finish() -> None:
    def send(_number: int, _part: bytes) -> None:
        raise ConnectionError("cut")

    sender = PartSender(send)
    sender.put(1, b"")

    with pytest.raises(ConnectionError):
        sender.finish()
    assert sending_threads() == []


def test_abandoning_waits_for_the_line_and_sends_nothing_more() -> None:
    sent: list[int] = []
    has_begun = threading.Event()

    def send(number: int, _part: bytes) -> None:
        has_begun.set()
        sent.append(number)

    sender = PartSender(send)
    sender.put(1, b"")
    has_begun.wait()
    sender.abandon()
    sender.abandon()

    assert sent == [1]
    assert sending_threads() == []


def test_several_lines_send_at_once_and_as_many_parts_again_wait() -> None:
    meet = threading.Barrier(4, timeout=PATIENCE_S)
    sent: list[int] = []

    def send(number: int) -> None:
        meet.wait()  # breaks unless four are on their way at once
        sent.append(number)

    sender = PartSender(send, 4)
    for number in range(16):
        sender.put(number)
    sender.finish()

    assert sorted(sent) == list(range(16))
    assert sending_threads() == []
