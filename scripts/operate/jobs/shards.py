"""The shards of a job as text: their attempts, what became of them, and where they are now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import Stage
from shared.bucket.records.outcome import Outcome
from shared.bucket.records.plan import Plan, PlannedShard
from shared.bucket.records.submission import SubmissionKind
from shared.bucket.tickets import RunningTicket, WaitingFor
from shared.results.columns import RowStatus

# A job may have thousands of shards, each of which costs a few reads to show.
SHOWN_SHARDS = 50


STATUS_ZH = {
    RowStatus.ANSWERED: "已回答",
    RowStatus.REFUSED: "被拒绝",
    RowStatus.EXPIRED: "已过期",
    RowStatus.MISSING: "无结果",
    RowStatus.CANCELLED: "已取消",
}
# The words of all providers for how a batch ended, in lower case, and our own if there is none.
_BATCH_ZH = {
    "completed": "已完成",
    "failed": "失败",
    "expired": "已过期",
    "cancelled": "已取消",
    "terminated": "已终止",
    "succeed": "已完成",
    "stopped": "已停止",
    "submit_failed": "提交失败",
}
_THEN = {
    "resend": ", 重新发送 {resent} 行 sent again",
    "ask_again": ", 重新发送 {resent} 行 sent again（其中 {asked_again} 行答案不合要求 asked again）",
    "requeue": ", 重新排队 queued again",
    "borrowing": ", 其余行与其他分片提问相同，共用其答案 other rows get answers of other shards",
}
_REFUSED = RowStatus.REFUSED.value
# Of rows that a batch may have answered which nobody can find any more.
_PERHAPS_SENT = " [perhaps_sent]"


def shard_lines(records: BucketRecords, plan: Plan) -> Iterator[str]:
    """Of each shard its attempts, for as many shards as people read."""
    for shard in plan.shards[:SHOWN_SHARDS]:
        yield from _shard(records, Attempt(JobId(plan.job_id), 1, shard.shard), shard)
    if len(plan.shards) > SHOWN_SHARDS:
        yield f"    … +{len(plan.shards) - SHOWN_SHARDS}"


def _shard(records: BucketRecords, attempt: Attempt, shard: PlannedShard) -> Iterator[str]:
    """Each attempt of a shard: its batch, and what became of it or where it is now."""
    yield f"    分片 shard {attempt.shard}: {shard.rows} 行 rows{_unsent(shard)}"
    outcome, refused = records.find_outcome(attempt), 0
    while outcome is not None:
        yield f"        {_numbered(attempt)}: {_ended(outcome, records, attempt, refused)}"
        if outcome.kind in ("final", "borrowing"):
            return
        attempt, refused = attempt.next_attempt(), max(refused, outcome.by_status.get(_REFUSED, 0))
        outcome = records.find_outcome(attempt)
    yield from _underway(records, attempt)


def _unsent(shard: PlannedShard) -> str:
    """Rows that get the answer of another one, so that fewer are sent."""
    same = f"{shard.same} 行提问相同 ask the same" if shard.same else ""
    reused = f"{shard.reused} 行以前答过 answered before" if shard.reused else ""
    said = ", ".join(filter(None, (same, reused)))
    return f"（其中 of these {said}）" if said else ""


def _ended(outcome: Outcome, records: BucketRecords, attempt: Attempt, refused: int) -> str:
    """What an attempt came to. Of a sample, the rows that are open were not sent yet.

    ``refused``: so many rows were before it.
    """
    why = "" if outcome.batch_id else _why_no_batch(records, attempt)
    said = ", ".join(_counts(outcome, refused, is_unsent=why not in ("", _PERHAPS_SENT)))
    if said and attempt.number > 1:
        said = f"累计 in all {said}"
    said = said or ("没有合格的答案 no answer fits" if outcome.asked_again else "没有结果 nothing settled")
    if outcome.in_real_time:
        return f"样本 sample: {said}; 其余行用批次发送 the other rows go by batch"
    batch = f"没有批次 no batch{why}"  # whose status would be a word of ours
    if outcome.batch_status == SubmissionKind.KEPT.value:
        batch = "来自之前的任务 from the earlier job"
    if outcome.batch_id:
        batch = f"{outcome.batch_id} {_batch_state(outcome.batch_status)}"
    then = _THEN.get(outcome.kind, "").format(resent=outcome.resent, asked_again=outcome.asked_again)
    return f"{batch}, {said}{then}"


def _counts(outcome: Outcome, refused: int, *, is_unsent: bool) -> Iterator[str]:
    """The rows by how they ended; those that ``is_unsent`` left out were refused by nobody."""
    for status, count in outcome.by_status.items():
        unsent = count - refused if is_unsent and status == _REFUSED else 0
        if count > unsent:
            yield f"{count - unsent} {STATUS_ZH[RowStatus(status)]} {status}"
        if unsent > 0:
            yield f"{unsent} 未发送 not sent"


def _why_no_batch(records: BucketRecords, attempt: Attempt) -> str:
    """The code of what forbade it; of a retry's first attempt, whose answers are known, nothing."""
    submission = records.find_submission(attempt)
    is_kept = submission is None or submission.kind in (SubmissionKind.BATCH, SubmissionKind.KEPT)
    return "" if submission is None or is_kept else f" [{submission.rejected_code}]"


def _batch_state(said: str) -> str:
    """A word that we know, with whatever the provider says behind it."""
    word, blank, why = said.partition(" ")
    state = word.lower()
    return f"{_BATCH_ZH[state]} {state}{blank}{why}" if state in _BATCH_ZH else said


def _underway(records: BucketRecords, attempt: Attempt) -> Iterator[str]:
    place, waiting_for = _place(records, attempt)
    yield f"        {_numbered(attempt)}: {place}"
    if waiting_for:
        yield from waiting_lines(str(attempt), waiting_for)


def _numbered(attempt: Attempt) -> str:
    return f"第 {attempt.number} 次 attempt {attempt.number}"


def _place(records: BucketRecords, attempt: Attempt) -> tuple[str, WaitingFor | None]:
    running = records.find_running(attempt)
    if running:
        is_heard = records.has_ticket(Stage.FINISHED, attempt)
        state = "已结束，正在收取 finished, being collected" if is_heard else "运行中 running"
        batch = running.batch_id or "没有批次 no batch"
        since, deadline = time_text(running.submitted_at), time_text(running.deadline_at)
        told = f"{batch} {state}, 开始 since {since}, 截止 deadline {deadline}{_counted(running)}"
        return told, running.waiting_for
    ready = records.find_ready(attempt)
    if ready:
        until = f", 不早于 not before {time_text(ready.not_before)}" if ready.not_before else ""
        return f"待发送 ready{until}", ready.waiting_for
    zh = "没有任务单，定时器会补上；也可以重新上传文件"
    return f"{zh} no ticket: the timer or dropping the file again brings it up", None


def _counted(ticket: RunningTicket) -> str:
    """What the provider said at the timer's last poll."""
    if ticket.counted_at is None:
        return ""
    failed = f", {ticket.failed} 失败 failed" if ticket.failed else ""
    return f", {time_text(ticket.counted_at)}: {ticket.completed} 完成 completed{failed}"


def waiting_lines(who: str, waiting_for: WaitingFor) -> Iterator[str]:
    first, *more = waiting_for.message.split("\n")
    yield f"        {who} 开始等待时间 waiting since {time_text(waiting_for.since)} [{waiting_for.code}]: {first}"
    yield from (f"            {line}" for line in more)


def time_text(moment: datetime | None) -> str:
    """In the time of this machine, as people have it."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z") if moment else ""
