"""The check of a job's input: one bad line fails the whole job.

The order and the words are those of the documented sample's own check of the same things.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scripts.localcloud.answers.input_lines import read_lines
from scripts.localcloud.servers.json_bodies import MAX_DEPTH, quick_json
from shared.formats.json.surrogates import without_surrogates

_MAX_LINE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Checked:
    """How many requests there are, and what is wrong with the first that is."""

    total: int
    message: str = ""


def check_input(path: Path) -> Checked:
    """Blank lines are skipped, and not counted."""
    ids: set[str] = set()
    number = 0
    for number, line in enumerate(read_lines(path, _MAX_LINE_BYTES), start=1):
        message = _message_about(line.content, number, ids)
        if message:
            return Checked(number, without_surrogates(f"批量推理任务失败，{message}"))
    return Checked(number, "" if number else "批量推理任务失败，输入文件为空")


def _message_about(content: bytes, number: int, ids: set[str]) -> str:
    try:
        fields = quick_json(content)
    except RecursionError:
        return f"第{number}行嵌套超过{MAX_DEPTH}层"
    except ValueError:
        return f"第{number}行非json数据"
    custom_id = fields.get("custom_id") if isinstance(fields, dict) else None
    if not isinstance(custom_id, str) or not custom_id:
        return f"第{number}行custom_id不存在"
    if custom_id in ids:
        return f"custom_id={custom_id}存在重复"
    if not isinstance(fields.get("body"), dict):
        return f"custom_id={custom_id}的body非json字符串"
    ids.add(custom_id)
    return ""
