"""The ledger of a job as rows of a sheet: a name in Chinese, the report's name, the value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from shared.bucket.money import Money
from shared.bucket.records.ledger import Ledger
from shared.money.amounts import exact_amount

_HEADER = ("项目", "item", "value")

# Two runs that close a job must write the same workbook, whenever they do and wherever to.
_LEFT_OUT = frozenset({"closed_at", "duration_s", "result_key", "dropped_at"})

_CHINESE: Mapping[str, str] = {
    "job_id": "任务编号",
    "source.bucket": "存储桶",
    "source.key": "源文件",
    "source.etag": "源文件版本（ETag）",
    "source.size_bytes": "源文件字节数",
    "source.seen_at": "检查时间",
    "source.dropped_at": "放入时间",
    "source.recipe_key": "配方",
    "source.recipe_etag": "配方版本（ETag）",
    "kind": "文件类型",
    "format": "文件格式",
    "compression": "压缩格式",
    "sheet": "工作表",
    "encoding": "编码",
    "delimiter": "分隔符",
    "provider": "服务",
    "model": "模型",
    "endpoint": "接口",
    "rows_in": "读入行数",
    "rows_out": "输出行数",
    "rows_sent": "发送行数",
    "rows_same": "与其他行相同、共用答案的行数",
    "rows_reused": "沿用以前任务答案的行数",
    "rows_not_sent": "未发送行数",
    "by_status.answered": "已回答",
    "by_status.refused": "被拒绝",
    "by_status.expired": "已过期",
    "by_status.missing": "无结果",
    "by_status.cancelled": "已取消",
    "unread_answers": "需要留意的答案（按错误代码）",
    "finish_reasons": "不完整的答案（结束原因）",
    "fitted": "答案合格的行数（按第几次询问）",
    "adds_up": "行数相符",
    "tokens.prompt": "输入 Token 数",
    "tokens.completion": "输出 Token 数",
    "tokens.total": "Token 总数",
    "tokens.thinking": "输出中思考的 Token 数",
    "tokens.cached": "输入中命中缓存的 Token 数",
    "bill.cost": "费用（按报价时的价格）",
    "bill.real_time": "实时调用的费用",
    "bill.saved": "比实时调用节省",
    "bill.quoted": "报价：预计",
    "bill.quoted_at_most": "报价：最多",
    "bill.over_quote": "比预计多（负数为少）",
    "bill.model": "按哪个模型计价",
    "bill.source": "价格来源",
    "bill.read_on": "价格查看日期",
    "bill.is_batch_price": "已知批量价",
    "attempts": "各次发送的用量和费用",
    "shards": "分片数",
    "batches": "批次编号",
    "warnings": "警告",
    "planned_at": "计划时间",
    "retry_of": "重试的任务",
    "retries": "重试次数",
    "rows_in_file": "本文件行数",
    "next_file": "后续文件",
    "cells_cut": "截断的单元格数",
    "overflow_file": "完整文本所在文件",
}


def ledger_rows(ledger: Ledger, more: Mapping[str, JsonValue]) -> Iterator[tuple[str, str, str | int | bool]]:
    """A header, what the report has, and ``more``; a list has a row for each of its items."""
    yield _HEADER
    report: dict[str, JsonValue] = json.loads(ledger.to_report())
    kept = {name: value for name, value in report.items() if name not in _LEFT_OUT}
    for item, value in _leaves("", {**kept, **more}):
        # What is counted by code, such as ``finish_reasons.length``, has the name of its section.
        yield _CHINESE.get(item) or _CHINESE.get(item.partition(".")[0], ""), item, value


def _leaves(name: str, value: JsonValue) -> Iterator[tuple[str, str | int | bool]]:
    if isinstance(value, dict) and value.keys() == Money.model_fields.keys():
        yield name, exact_amount(Money.model_validate(value))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(f"{name}.{key}" if name else key, inner)
    elif isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield from _leaves(f"{name}.{number}" if isinstance(item, dict) else name, item)
    elif value is not None and value != "":
        yield name, value  # type: ignore[misc]  # a report has no fractions but its duration
