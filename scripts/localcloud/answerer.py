"""Who answers in a data folder: test answers, a server of the user's or Bailian. A change is worth a word."""

from __future__ import annotations

from collections.abc import Iterator

from scripts.localcloud.bailian.upstream import is_reachable
from scripts.localcloud.options import CloudOptions

_MEMORY = "answered-by.txt"


def answerer_warnings(options: CloudOptions) -> Iterator[str]:
    """What the user should know before dropping files; remembers who answers from now on.

    The same file is never paid for twice, so what ran with test answers keeps them.
    """
    now = _answerer(options)
    memory = options.data_dir / ".localcloud" / _MEMORY
    before = memory.read_text(encoding="utf-8") if memory.exists() else now
    if before != now:
        yield (
            f"  ! 此文件夹之前由 {before} 回答，现在由 {now} 回答。已运行过的文件保留原来的答案；要重新回答，请换一个 --data。\n"
            f"  ! Until now this folder was answered by {before}, from now on by {now}. Files that ran keep the answers "
            "they have; to have them answered anew, take another --data."
        )
    if options.upstream and not is_reachable(options.upstream):
        yield (
            f"  ! {options.upstream} 目前没有响应，请先启动它再放入文件。\n"
            f"  ! Nothing answers at {options.upstream} yet: start it before you drop files."
        )
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(now, encoding="utf-8")


def _answerer(options: CloudOptions) -> str:
    if options.provider == "bailian":
        return f"Bailian ({options.base_url})"
    return (
        f"{options.upstream} {options.upstream_model or ''}".strip() if options.upstream else "test answers"
    )
