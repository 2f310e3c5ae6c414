"""Who answers in a data folder, and for which providers; warns when that changes.

Test answers, a server of the user's or Bailian.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from scripts.localcloud.answers.upstream import is_reachable
from scripts.localcloud.options import CloudOptions
from shared.providers.bailian.profile import BAILIAN

_MEMORY, _PROVIDERS = "answered-by.txt", "providers.txt"
_TEST_ANSWERS = "test answers"
_BAILIAN = "Bailian"
_MADE_UP = (
    "  ! 答案由测试服务根据每行内容编造，不是模型的回答。要用真实模型，请看 scripts/localcloud/README.md 的 “Who answers”。\n"
    "  ! Test answers: they are made up from each row's text, and no model wrote them. For a real one, see "
    "“Who answers” in scripts/localcloud/README.md."
)


def answerer_warnings(options: CloudOptions) -> Iterator[str]:
    """What the user should know before dropping files; remembers who answers from now on.

    The same file is never paid for twice, so what ran with test answers keeps them.
    """
    now = _answerer(options)
    before = _exchange(options.data_dir / ".localcloud" / _MEMORY, now)
    if before != now:
        yield (
            f"  ! 此文件夹之前由 {before} 回答，现在改由 {now} 回答。运行过的文件会保留原来的答案；如需重新回答，请换一个 --data 文件夹。\n"
            f"  ! This folder was answered by {before} until now, and is answered by {now} from now on. Files that ran keep "
            "their answers; to have them answered again, use another --data folder."
        )
    names = ",".join(options.providers)
    former = _exchange(options.data_dir / ".localcloud" / _PROVIDERS, names).split(",")
    if missing := ", ".join(name for name in former if name not in options.providers):
        yield (
            f"  ! 此文件夹之前还使用 {missing}，这次没有启动。由它处理的任务会等待，用 --providers {','.join(former)} 启动后自动继续。\n"
            f"  ! This folder used {missing}, too, which is not started now. Its jobs wait, and go on when you start with "
            f"--providers {','.join(former)}."
        )
    if not options.real and not options.upstream:
        yield _MADE_UP
    if options.upstream and not is_reachable(options.upstream):
        yield (
            f"  ! {options.upstream} 目前没有响应。放入的文件会等待，启动它之后自动继续；scripts/batchdrop status 会显示原因。\n"
            f"  ! Nothing answers at {options.upstream} yet. Files that you drop wait for it and go on by themselves "
            "once it is started; scripts/batchdrop status says so."
        )


def warnings_of_running(data_dir: Path) -> Iterator[str]:
    """What the user of a cloud that somebody started there should know of its answers."""
    memory = data_dir / ".localcloud" / _MEMORY
    if memory.exists() and memory.read_text(encoding="utf-8") == _TEST_ANSWERS:
        yield _MADE_UP


def is_charged(data_dir: Path, provider: str) -> bool:
    """Whether who answers for that provider there takes money: Bailian itself, if it is asked."""
    memory = data_dir / ".localcloud" / _MEMORY
    answerer = memory.read_text(encoding="utf-8") if memory.exists() else _TEST_ANSWERS
    return answerer.startswith(_BAILIAN) and provider == BAILIAN.name


def remember_test_answers(data_dir: Path) -> None:
    """Of a local account, in which nothing else answers."""
    _exchange(data_dir / ".localcloud" / _MEMORY, _TEST_ANSWERS)


def other_answerer(options: CloudOptions) -> str | None:
    """Who answered in this folder until now, if others than those of the options."""
    remembered = {_MEMORY: _answerer(options), _PROVIDERS: ",".join(options.providers)}
    for name, now in remembered.items():
        memory = options.data_dir / ".localcloud" / name
        before = memory.read_text(encoding="utf-8") if memory.exists() else now
        if before != now:
            return before
    return None


def _exchange(memory: Path, now: str) -> str:
    """What was remembered until now; at the first start, what is remembered from now on."""
    before = memory.read_text(encoding="utf-8") if memory.exists() else now
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(now, encoding="utf-8")
    return before


def _answerer(options: CloudOptions) -> str:
    if options.real:
        return f"{_BAILIAN} ({options.base_url})"
    return f"{options.upstream} {options.upstream_model or ''}".strip() if options.upstream else _TEST_ANSWERS
