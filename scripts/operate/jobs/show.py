"""Jobs as text: the board, and one job with its shards, attempts and batches."""

from __future__ import annotations

from collections.abc import Iterator

from scripts.operate.jobs.approvals import awaited_line, decided_line
from scripts.operate.jobs.shards import STATUS_ZH, shard_lines, time_text, waiting_lines
from scripts.operate.texts.said import ERASED_NAME
from scripts.operate.texts.spans import usual
from scripts.operate.texts.text import Text
from scripts.terminal import named, render_table
from shared.board.model import OpenJob, ShardState
from shared.bucket.attempt import JobId, retry_job_id_for
from shared.bucket.bucket_records import CANCELLATION, DROPPED_AGAIN, BucketRecords
from shared.bucket.keys import record_key
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.marks import Cancellation, FirstSeen
from shared.bucket.records.plan import Plan
from shared.bucket.records.usage import Bill
from shared.bucket.tickets import REPLACED, Approval
from shared.money.amounts import spoken_text
from shared.money.quotes.quote_text import quote_in_short
from shared.money.quotes.sample_text import earlier_sample_line
from shared.pipeline.jobs.retries import latest_retry
from shared.pipeline.replaced.earlier_sample import earlier_sample_costs
from shared.pipeline.sample.records import Sample
from shared.pipeline.sample.sample_results import find_sample
from shared.results.columns import RowStatus

_HEADER = (
    "任务 job",
    "文件 file",
    "服务 provider",
    "已回答 answered",
    "分片 shards",
    "从何时起 since",
    "截止时间 deadline",
    "批次 batches",
)
_STATE_ZH = {
    ShardState.READY: "待发送",
    ShardState.WAITING: "等待中",
    ShardState.RUNNING: "运行中",
    ShardState.FINISHED: "待收取",
    ShardState.SETTLED: "已收取",
}
# Its answers are not counted yet, so that "finished" would look like an error.
_STATE_EN = {ShardState.FINISHED.value: "to be collected"}


def board_lines(jobs: list[OpenJob]) -> Iterator[str]:
    """A table of open jobs, and under it how long they may take and what somebody must do."""
    yield from render_table(_HEADER, [_row(job) for job in jobs], cell_width=44).split("\n")
    for job in jobs:
        if job.estimate:
            yield f"        {job.job_id} {' / '.join(usual(job.estimate))}"
        if job.waiting_for:
            yield from waiting_lines(job.job_id, job.waiting_for)
        if job.approve_until:
            yield f"        {job.job_id} {awaited_line(job.approve_until, job.job_id, is_outdated=job.is_outdated)}"


def _row(job: OpenJob) -> tuple[str, ...]:
    marks = ("" if not job.cancelled else ", 已取消 cancelled") + (", 重试 retry" if job.retry_of else "")
    batches = job.batches[0] if len(job.batches) == 1 else f"{len(job.batches) or ''}"
    return (
        job.job_id, named(job.source_key), job.provider, _progress(job), f"{states(job)}{marks}",
        time_text(job.waiting_since), time_text(job.deadline_at), batches,
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
        state = f"已结束 closed {time_text(ledger.closed_at)}: {_counts(ledger)}" if ledger else "未结束 open"
        erased = f", {_erased(ledger)}" if ledger and ledger.erased_at else ""
        yield f"    {plan.job_id}  {plan.provider} {plan.model}  {time_text(plan.created_at)}  {state}{erased}"


def job_lines(
    records: BucketRecords, plan: Plan, *, is_charged: bool = True, is_outdated: bool = False
) -> Iterator[str]:
    """One job in detail; ``is_charged`` as of ``cost_text``, ``is_outdated`` as of ``OpenJob``."""
    job_id = JobId(plan.job_id)
    ledger = records.find_ledger(job_id)
    cancelled = records.find(record_key(job_id, CANCELLATION), Cancellation)
    name = named(plan.source.key) if plan.source.key else " ".join(ERASED_NAME)
    yield f"任务 job {job_id}: {name}, {plan.rows} 行 rows, {len(plan.shards)} 个分片 shard(s), {plan.provider} {plan.model}"
    yield f"    上传 dropped {time_text(plan.source.dropped_at)}, 排定 planned {time_text(plan.created_at)}"
    if plan.retry_of:
        yield f"    第 {plan.retries} 次重试 retry {plan.retries} of {plan.retry_of}"
    yield from (f"    {text}" for text in quote_lines(plan, find_sample(records, plan)))
    for cost in earlier_sample_costs(records, plan):
        yield from (f"    {text}" for text in earlier_sample_line(cost))
    decided = _by_the_last(records, records.find_approval(job_id))
    awaits = bool(plan.approve_until) and not (ledger or cancelled or decided)
    if plan.approve_until:
        yield f"    {decided_line(decided, plan, is_open=awaits, is_outdated=is_outdated)}"
    if cancelled:
        yield f"    取消 cancelled {time_text(cancelled.asked_at)}"
    if not awaits:
        yield from shard_lines(records, plan)
    if ledger:
        yield from _closed_lines(records, ledger, is_charged=is_charged)


def _closed_lines(records: BucketRecords, ledger: Ledger, *, is_charged: bool) -> Iterator[str]:
    yield f"    结束 closed {time_text(ledger.closed_at)}: {_counts(ledger)}"
    yield from odd_answers(ledger)
    yield f"    用量 usage {ledger.tokens.total} tokens{_details(ledger)}, {len(ledger.batches)} batch(es)"
    if ledger.bill and ledger.attempts:
        yield f"    费用 cost {' · '.join(cost_text(ledger.bill, is_charged=is_charged))}"
    if ledger.erased_at:
        yield f"    {_erased(ledger)}"
        return
    yield f"    结果 result {named(ledger.result_key)}"
    again = records.find(record_key(JobId(ledger.job_id), DROPPED_AGAIN), FirstSeen)
    if again:
        yield f"    再次放入 dropped again {time_text(again.seen_at)}: {_since_dropped_again(records, ledger)}"


def _since_dropped_again(records: BucketRecords, ledger: Ledger) -> str:
    retry = records.find_plan(retry_job_id_for(JobId(ledger.job_id)))
    if retry:
        return f"由任务 {retry.job_id} 继续 goes on as job {retry.job_id}"
    if not ledger.answered:
        return "没有重新发送，不收费 not sent again, nothing paid"
    return "已有答案，没有重新发送，不收费 already answered, nothing paid"


def _by_the_last(records: BucketRecords, decided: Approval | None) -> Approval | None:
    """Of what was replaced by a version that came back, by the retry that is that version's now."""
    newer = records.find_plan(JobId(decided.by)) if decided and decided.said == REPLACED else None
    return (
        decided.model_copy(update={"by": latest_retry(records, newer).job_id})
        if decided and newer
        else decided
    )


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
    cost, real_time = spoken_text(bill.cost), spoken_text(bill.real_time)
    zh = f"按 {bill.model} 在 {bill.read_on} 的价格为 {cost.zh}，实时调用为 {real_time.zh}"
    en = f"{cost.en} at the price of {bill.model} on {bill.read_on}, {real_time.en} in real time"
    if not is_charged:
        return Text(f"在本机回答，不收费（{zh}）", f"nothing, it was answered locally ({en})")
    if bill.over_quote is None:
        return Text(zh, en)
    if bill.over_quote.micros == 0:
        return Text(f"{zh}，和报价一样", f"{en}, as quoted")
    is_more, over = bill.over_quote.micros > 0, spoken_text(abs(bill.over_quote))
    return Text(
        f"{zh}，比报价{'多' if is_more else '少'} {over.zh}",
        f"{en}, {over.en} {'above' if is_more else 'below'} the quote",
    )


def _erased(ledger: Ledger) -> str:
    if not ledger.is_being_erased:
        return f"抹除 erased {time_text(ledger.erased_at)}"
    again = f"scripts/batchdrop erase {ledger.job_id}"
    return f"正在抹除 being erased since {time_text(ledger.erased_at)}; 如果被中断，请重复 if interrupted, repeat: {again}"


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
        "，".join(f"{STATUS_ZH[RowStatus(status)]} {count} 行" for status, count in ledger.by_status.items()),
        ", ".join(f"{count} {status}" for status, count in ledger.by_status.items()),
    )


def _counts(ledger: Ledger) -> str:
    return " · ".join(counts(ledger))
