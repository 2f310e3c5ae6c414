"""The words for an event, in Chinese and English, for any channel."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from shared.money.amounts import about_text, is_tiny, money_text, most_text, spoken_text
from shared.ports.channel import Word
from shared.problems.escapes import escaped_line
from shared.problems.problem import Bilingual
from shared.words.event import Event, EventKind

_TITLES = {
    EventKind.REFUSED: ("文件被退回", "Refused"),
    EventKind.DONE: ("已完成", "Done"),
    EventKind.FAILED_ROWS: ("已完成，部分行没有答案", "Done, but some rows have no answer"),
    EventKind.WAITING: ("需要有人处理", "Waits for somebody"),
    EventKind.APPROVAL: ("报价等待批准", "Quote waits for approval"),
    EventKind.OVER_CEILING: ("超出预算，正在等待", "Waits: over a ceiling"),
}
# Of each event, for programs; grouped as Standard Webhooks recommends.
_TYPES = {
    EventKind.REFUSED: "file.refused",
    EventKind.DONE: "job.done",
    EventKind.FAILED_ROWS: "job.failed_rows",
    EventKind.WAITING: "job.waiting",
    EventKind.APPROVAL: "job.waits_for_approval",
    EventKind.OVER_CEILING: "job.over_ceiling",
}
STATUS_ZH = {
    "answered": "已回答",
    "refused": "被拒绝",
    "expired": "已过期",
    "missing": "无结果",
    "cancelled": "已取消",
}
# Why an ended job was not sent, by code.
_UNSENT = {
    "not_approved": Bilingual(
        "没有按时批准，所以没有再发送", "nobody approved the quote in time, so nothing more was sent"
    ),
    "replaced": Bilingual(
        "文件有了更新的版本，所以没有再发送", "the file has a later version, so nothing more was sent"
    ),
}
# Some channels take 2,048 bytes. The end of a path says more than its beginning.
_SHOWN_CHARS = 60


def word_for(event: Event, link: str | None = None) -> Word:
    """What is to be said of the event, and where to look at it."""
    zh, en = _TITLES[event.kind]
    name = _shown(event.path)
    said_zh, said_en = _SAID[event.kind](event)
    lines = (f"【Batchdrop】{zh}：{name}", said_zh, f"{en}: {name}", said_en, *([link] if link else ()))
    return Word(
        event.id, _TYPES[event.kind], f"Batchdrop {zh} / {en}: {name}", lines, _data(event, link), event.at
    )


def _ended(event: Event) -> tuple[str, str]:
    zh = "，".join(f"{STATUS_ZH.get(status, status)} {rows:,} 行" for status, rows in event.by_status.items())
    en = ", ".join(f"{rows:,} {status}" for status, rows in event.by_status.items())
    for code in _UNSENT.keys() & event.by_code.keys():
        zh, en = f"{zh}；{_UNSENT[code].zh}", f"{en}; {_UNSENT[code].en}"
    if misfits := sum(rows for code, rows in event.by_code.items() if code not in _UNSENT):
        zh, en = f"{zh}；{misfits:,} 行的答案不合要求", f"{en}; {misfits:,} answer(s) do not fit"
    tokens, place = event.tokens or 0, _shown(event.place)
    cost_zh, cost_en = _cost(event)
    return (
        f"共 {event.rows or 0:,} 行：{zh}。用量 {tokens:,} 个 token{cost_zh}。结果：{place}",
        f"{event.rows or 0:,} rows: {en}. {tokens:,} tokens{cost_en}. Result: {place}",
    )


def _cost(event: Event) -> tuple[str, str]:
    if event.cost is None or not event.tokens:
        return "", ""
    cost = spoken_text(event.cost)
    zh, en = f"，按报价时的价格为 {cost.zh}", f", {cost.en} at the quoted price"
    if event.saved and event.saved.micros > 0 and not is_tiny(event.saved):
        saved = money_text(event.saved, is_gain=True)
        zh, en = f"{zh}，比实时调用省 {saved}", f"{en}, {saved} less than in real time"
    return zh, en


def _refused(event: Event) -> tuple[str, str]:
    problems, place = sum(event.by_code.values()), _shown(event.place)
    return (
        f"发现 {problems:,} 个问题，没有发送任何内容，也没有产生费用。报告：{place}",
        f"{problems:,} problem(s) found; nothing was sent, nothing is charged. Report: {place}",
    )


def _waiting(event: Event) -> tuple[str, str]:
    jobs, rows, code = sum(event.by_code.values()), event.rows or 0, ", ".join(event.by_code)
    zh = f"{jobs:,} 个任务（{rows:,} 行）在等待：{code}。问题解决后会自动继续，处理办法见 scripts/batchdrop status。"
    en = f"{jobs:,} job(s) with {rows:,} rows wait: {code}. They go on by themselves once it is mended; scripts/batchdrop status says how."
    return zh, en


def _approval(event: Event) -> tuple[str, str]:
    rows, place = event.rows or 0, _shown(event.place)
    about = event.cost and about_text(event.cost)
    zh = f"预计{about.zh}，" if about else "费用未知，"
    en = f"{about.en}, " if about else "of unknown cost, "
    zh += f"最多 {most_text(event.at_most)}" if event.at_most else "没有上限"
    en += f"at most {most_text(event.at_most)}" if event.at_most else "without an upper limit"
    day = f"{event.until:%Y-%m-%d %H:%M} UTC" if event.until else ""
    return (
        f"{rows:,} 行，{zh}。批准之前不再发送；请在 {day} 之前批准。报价和批准办法：{place}",
        f"{rows:,} rows, {en}. Nothing more is sent before it is approved, by {day}. Quote, and how: {place}",
    )


def _over_ceiling(event: Event) -> tuple[str, str]:
    jobs, rows = sum(event.by_code.values()), event.rows or 0
    why_zh, _, why_en = event.why.partition("\n")
    return (
        f"{jobs:,} 个任务（{rows:,} 行）在等待。{why_zh}",
        f"{jobs:,} job(s) with {rows:,} rows wait. {why_en}",
    )


_SAID = {
    EventKind.REFUSED: _refused,
    EventKind.DONE: _ended,
    EventKind.FAILED_ROWS: _ended,
    EventKind.WAITING: _waiting,
    EventKind.APPROVAL: _approval,
    EventKind.OVER_CEILING: _over_ceiling,
}


def _shown(path: str) -> str:
    name = escaped_line(path)
    return name if len(name) <= _SHOWN_CHARS else "…" + name[1 - _SHOWN_CHARS :]


def _data(event: Event, link: str | None) -> Mapping[str, JsonValue]:
    return {**event.model_dump(mode="json", exclude={"home"}), "link": link}
