"""Jobs as text: the board, and one job with its shards, attempts and batches."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from scripts.operate.jobs.approvals import awaited_line, decided_line
from scripts.operate.texts.said import ERASED_NAME
from scripts.operate.texts.spans import usual
from scripts.operate.texts.text import Text
from scripts.terminal import named, render_table
from shared.board.model import OpenJob, ShardState
from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import CANCELLATION, DROPPED_AGAIN, BucketRecords
from shared.bucket.keys import Stage, record_key
from shared.bucket.records import Cancellation, FirstSeen, Ledger, Plan
from shared.bucket.tickets import RunningTicket, WaitingFor
from shared.bucket.usage import Bill
from shared.money.amounts import money_text
from shared.money.quote_text import quote_in_short
from shared.pipeline.sample.records import Sample
from shared.pipeline.sample.sample_results import find_sample
from shared.results.columns import RowStatus

# A job may have thousands of shards, each of which costs a few reads to show.
SHOWN_SHARDS = 50

_HEADER = (
    "任务 job",
    "文件 file",
    "服务 provider",
    "已回答 answered",
    "分片 shards",
    "开始等待时间 since",
    "截止时间 deadline",
    "批次 batches",
)
_STATUS_ZH = {
    RowStatus.ANSWERED: "已回答",
    RowStatus.REFUSED: "被拒绝",
    RowStatus.EXPIRED: "已过期",
    RowStatus.MISSING: "无结果",
    RowStatus.CANCELLED: "已取消",
}
_STATE_ZH = {
    ShardState.READY: "待发送",
    ShardState.WAITING: "等待中",
    ShardState.RUNNING: "运行中",
    ShardState.FINISHED: "待收取",
    ShardState.SETTLED: "已收取",
}
# Its answers are not counted yet, so that "finished" would look like an error.
_STATE_EN = {ShardState.FINISHED.value: "to be collected"}
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
}


def board_lines(jobs: list[OpenJob]) -> Iterator[str]:
    """A table of open jobs, and under it how long they may take and what somebody must do."""
    yield from render_table(_HEADER, [_row(job) for job in jobs], cell_width=44).split("\n")
    for job in jobs:
        if job.estimate:
            yield f"        {job.job_id} {' / '.join(usual(job.estimate))}"
        if job.waiting_for:
            yield from waiting_lines(job.job_id, job.waiting_for)
        if job.approve_until:
            yield f"        {job.job_id} {awaited_line(job.approve_until, job.job_id)}"


def _row(job: OpenJob) -> tuple[str, ...]:
    marks = ("" if not job.cancelled else ", 已取消 cancelled") + (", 重试 retry" if job.retry_of else "")
    batches = job.batches[0] if len(job.batches) == 1 else f"{len(job.batches) or ''}"
    return (
        job.job_id, named(job.source_key), job.provider, _progress(job), f"{states(job)}{marks}",
        _time(job.waiting_since), _time(job.deadline_at), batches,
    )  # fmt: skip


def _progress(job: OpenJob) -> str:
    failed = f", {job.failed} 失败 failed" if job.failed else ""
    return f"{job.answered}/{job.rows}{failed}"


def states(job: OpenJob) -> str:
    """What its shards are doing."""
    return ", ".join(
        f"{count} {_STATE_ZH[ShardState(state)]} {_STATE_EN.get(state, state)}"
        for state, count in job.by_state.items()
    )


def short_lines(plans: list[Plan], records: BucketRecords) -> Iterator[str]:
    """One line a job, to choose from."""
    for plan in plans:
        ledger = records.find_ledger(JobId(plan.job_id))
        state = f"已结束 closed {_time(ledger.closed_at)}: {_counts(ledger)}" if ledger else "未结束 open"
        erased = f", {_erased(ledger)}" if ledger and ledger.erased_at else ""
        yield f"    {plan.job_id}  {plan.provider} {plan.model}  {_time(plan.created_at)}  {state}{erased}"


def job_lines(records: BucketRecords, plan: Plan, *, is_charged: bool = True) -> Iterator[str]:
    """One job in detail; ``is_charged`` as of ``cost_text``."""
    job_id = JobId(plan.job_id)
    ledger = records.find_ledger(job_id)
    cancelled = records.find(record_key(job_id, CANCELLATION), Cancellation)
    name = named(plan.source.key) if plan.source.key else " ".join(ERASED_NAME)
    yield f"任务 job {job_id}: {name}, {plan.rows} 行 rows, {len(plan.shards)} 个分片 shard(s), {plan.provider} {plan.model}"
    yield f"    上传 dropped {_time(plan.source.dropped_at)}, 排定 planned {_time(plan.created_at)}"
    if plan.retry_of:
        yield f"    第 {plan.retries} 次重试 retry {plan.retries} of {plan.retry_of}"
    yield from (f"    {text}" for text in quote_lines(plan, find_sample(records, plan)))
    if plan.approve_until:
        decided = records.find_approval(job_id)
        yield f"    {decided_line(decided, plan, is_open=not (ledger or cancelled))}"
    if cancelled:
        yield f"    取消 cancelled {_time(cancelled.asked_at)}"
    yield from _shard_lines(records, plan)
    if ledger:
        yield f"    结束 closed {_time(ledger.closed_at)}: {_counts(ledger)}"
        yield from odd_answers(ledger)
        yield f"    用量 usage {ledger.tokens.total} tokens{_details(ledger)}, {len(ledger.batches)} batch(es)"
        if ledger.bill and ledger.attempts:
            yield f"    费用 cost {' · '.join(cost_text(ledger.bill, is_charged=is_charged))}"
        if ledger.erased_at:
            yield f"    {_erased(ledger)}"
            return
        yield f"    结果 result {named(ledger.result_key)}"
        again = records.find(record_key(job_id, DROPPED_AGAIN), FirstSeen)
        if again:
            yield f"    再次放入 dropped again {_time(again.seen_at)}: 已有答案，没有重新发送，不收费 already answered, nothing paid"


def quote_lines(plan: Plan, sample: Sample | None = None) -> Iterator[str]:
    """What it was to cost before it was sent, in each language; older jobs have no quote."""
    if plan.quote:
        chinese, english = quote_in_short(plan.quote, sample.figures if sample else None)
        yield f"报价：{chinese}"
        yield f"quote: {english}"


def _details(ledger: Ledger) -> str:
    told = {"思考 thinking": ledger.tokens.thinking, "缓存 cached": ledger.tokens.cached}
    said = ", ".join(f"{name} {tokens}" for name, tokens in told.items() if tokens)
    return f" ({said})" if said else ""


def cost_text(bill: Bill, *, is_charged: bool) -> Text:
    """By which price, and whether anybody charges it: who makes up test answers does not."""
    cost, real_time = money_text(bill.cost), money_text(bill.real_time)
    zh = f"按 {bill.model} 在 {bill.read_on} 的价格为 {cost}，实时调用为 {real_time}"
    en = f"{cost} at the price of {bill.model} on {bill.read_on}, {real_time} in real time"
    if not is_charged:
        return Text(f"在本机回答，不收费（{zh}）", f"nothing, it was answered locally ({en})")
    if bill.over_quote is None:
        return Text(zh, en)
    is_more, over = bill.over_quote.micros > 0, money_text(abs(bill.over_quote))
    return Text(
        f"{zh}，比报价{'多' if is_more else '少'} {over}",
        f"{en}, {over} {'more' if is_more else 'less'} than quoted",
    )


def _erased(ledger: Ledger) -> str:
    if not ledger.is_being_erased:
        return f"抹除 erased {_time(ledger.erased_at)}"
    again = f"scripts/batchdrop erase {ledger.job_id}"
    return f"正在抹除 being erased since {_time(ledger.erased_at)}; 如果被中断，请重复 if interrupted, repeat: {again}"


def odd_answers(ledger: Ledger) -> Iterator[str]:
    """How many answers fit, are odd or not whole, and the warnings, which say what to do."""
    for told, rows in {
        "答案合格（按第几次） fitted at try": ledger.fitted,
        "错误代码 error_code": ledger.unread_answers,
        "结束原因 finish_reason": ledger.finish_reasons,
    }.items():
        if rows:
            yield f"    {told} " + ", ".join(f"{name}: {count}" for name, count in rows.items())
    yield from (f"    提示 warning {warning}" for warning in ledger.warnings)


def counts(ledger: Ledger) -> Text:
    """How many rows ended how."""
    return Text(
        "，".join(
            f"{_STATUS_ZH[RowStatus(status)]} {count} 行" for status, count in ledger.by_status.items()
        ),
        ", ".join(f"{count} {status}" for status, count in ledger.by_status.items()),
    )


def _counts(ledger: Ledger) -> str:
    return " · ".join(counts(ledger))


def _shard_lines(records: BucketRecords, plan: Plan) -> Iterator[str]:
    for shard in plan.shards[:SHOWN_SHARDS]:
        yield from _shard(records, Attempt(JobId(plan.job_id), 1, shard.shard), shard.rows)
    if len(plan.shards) > SHOWN_SHARDS:
        yield f"    … +{len(plan.shards) - SHOWN_SHARDS}"


def _shard(records: BucketRecords, attempt: Attempt, rows: int) -> Iterator[str]:
    """Each attempt of a shard: its batch, and what became of it or where it is now."""
    yield f"    分片 shard {attempt.shard}: {rows} 行 rows"
    outcome = records.find_outcome(attempt)
    while outcome is not None:
        batch = outcome.batch_id or "没有批次 no batch"
        said = ", ".join(
            f"{count} {_STATUS_ZH[RowStatus(status)]} {status}" for status, count in outcome.by_status.items()
        )
        then = _THEN.get(outcome.kind, "").format(resent=outcome.resent, asked_again=outcome.asked_again)
        told = f"{batch} {_batch_state(outcome.batch_status)}, {said or '没有结果 nothing settled'}{then}"
        yield f"        {_numbered(attempt)}: {told}"
        if outcome.kind == "final":
            return
        attempt = attempt.next_attempt()
        outcome = records.find_outcome(attempt)
    yield from _underway(records, attempt)


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
        since, deadline = _time(running.submitted_at), _time(running.deadline_at)
        told = f"{batch} {state}, 开始 since {since}, 截止 deadline {deadline}{_counted(running)}"
        return told, running.waiting_for
    ready = records.find_ready(attempt)
    if ready:
        until = f", 不早于 not before {_time(ready.not_before)}" if ready.not_before else ""
        return f"待发送 ready{until}", ready.waiting_for
    zh = "没有任务单，定时器会补上；也可以重新上传文件"
    return f"{zh} no ticket: the timer or dropping the file again brings it up", None


def _counted(ticket: RunningTicket) -> str:
    """What the provider said at the timer's last poll."""
    if ticket.counted_at is None:
        return ""
    failed = f", {ticket.failed} 失败 failed" if ticket.failed else ""
    return f", {_time(ticket.counted_at)}: {ticket.completed} 完成 completed{failed}"


def waiting_lines(who: str, waiting_for: WaitingFor) -> Iterator[str]:
    first, *more = waiting_for.message.split("\n")
    yield f"        {who} 开始等待时间 waiting since {_time(waiting_for.since)} [{waiting_for.code}]: {first}"
    yield from (f"            {line}" for line in more)


def _time(moment: datetime | None) -> str:
    """In the time of this machine, as people have it."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else ""
