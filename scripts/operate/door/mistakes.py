"""What was typed wrong, in Chinese too: click says it in English alone."""

from __future__ import annotations

import click


def in_chinese(mistake: click.UsageError) -> str:
    """One sentence; its details stand in click's own."""
    if isinstance(mistake, click.NoSuchOption):
        return f"没有 {mistake.option_name} 这个选项。"
    if isinstance(mistake, click.MissingParameter) and mistake.param:
        return f"缺少 {_typed(mistake.param)}。"
    if isinstance(mistake, click.BadParameter) and mistake.param:
        return f"{_typed(mistake.param)} 的值不对。"
    return "命令写得不对。"


def _typed(parameter: click.Parameter) -> str:
    return parameter.opts[0] if isinstance(parameter, click.Option) else parameter.human_readable_name
