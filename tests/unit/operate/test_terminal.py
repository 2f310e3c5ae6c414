"""What others wrote is shown, not obeyed: names of files, columns, models; providers' words."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import re
import subprocess
from pathlib import Path

import pytest

from scripts.operate.__main__ import main
from scripts.operate.access import OpenBucket
from scripts.operate.jobs.commands import Commands
from scripts.operate.run.progress_view import ProgressView
from scripts.operate.texts.said import said
from scripts.terminal import Parser, named, render_table, say, typed
from shared.bucket.attempt import JobId
from shared.bucket.base import Record
from shared.bucket.keys import Stage, record_key, ticket_key
from shared.bucket.tickets import ReadyTicket, WaitingFor
from shared.problems.escapes import escaped, escaped_line
from shared.problems.problem import Problem
from shared.problems.render import render_problem
from shared.runtime.logs import JsonFormatter
from tests.support.builders import JOB, attempt
from tests.support.pipeline import Pipeline

OBEYED = {
    "clear the screen": ("\x1b[2J", "\\u001b[2J"),
    "title": ("\x1b]0;owned\x07", "\\u001b]0;owned\\u0007"),
    "link": ("\x1b]8;;http://evil.example\x1b\\", "\\u001b]8;;http://evil.example\\u001b\\"),
    "CSI as one character": ("\x9b31m", "\\u009b31m"),
    "back to the start": ("good\rbad", "good\\u000dbad"),
    "backspace": ("\b\b\b", "\\u0008\\u0008\\u0008"),
    "delete": ("\x7f", "\\u007f"),
    "null": ("\0", "\\u0000"),
    "form feed": ("\x0c", "\\u000c"),
    "next line": ("\x85", "\\u0085"),
    "right to left": ("\u202egpj.exe", "\\u202egpj.exe"),
    "isolate": ("\u2066a\u2069", "\\u2066a\\u2069"),
    "marks": ("\u200e\u200f\u061c", "\\u200e\\u200f\\u061c"),
    "other line ends": ("\u2028\u2029", "\\u2028\\u2029"),
    "no text": ("\udcff", "\\udcff"),
}
PLAIN = ["reviews.csv", "客户 名单　2026.csv", "👩‍👩‍👧.csv", "naïve ü.csv", "שלום مرحبا.csv", "a\\x1b.csv"]
NASTY = "".join(obeyed for obeyed, _ in OBEYED.values()) + "\nforged"
STORED = NASTY.replace("\udcff", "")  # no object has a name that is no text
COMMANDS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


@pytest.mark.parametrize(("obeyed", "shown"), OBEYED.values(), ids=OBEYED)
def test_what_a_terminal_would_obey_is_shown(
    obeyed: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    say(f"in{obeyed}box\n\tnext")

    assert capsys.readouterr().out == f"in{shown}box\n\tnext\n"


@pytest.mark.parametrize("name", PLAIN)
def test_names_in_every_script_stay_as_they_are(name: str) -> None:
    assert escaped(name) == escaped_line(name) == name


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_name_begins_no_line_of_its_own(end: str) -> None:
    assert escaped_line(f"a{end}b") == "a⏎b"


ODD = {**{name: obeyed for name, (obeyed, _) in OBEYED.items() if obeyed != "\0"}, "line": "\n", "tab": "\t"}


def in_bash(typed_arguments: str) -> list[bytes]:
    command = ["bash", "-c", f"printf '%s\\0' {typed_arguments}"]
    return subprocess.run(command, capture_output=True, check=True).stdout.split(b"\0")[:-1]


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("rest", ["a.csv", "1 2.csv", "7'\\.csv", "评价$(x);.csv", "!x.csv"])
def test_a_name_that_cannot_be_shown_is_shown_as_it_is_typed(odd: str, rest: str) -> None:
    name = f"inbox/{odd}{rest}"

    assert named(name) == typed(name)
    assert not COMMANDS.search(typed(name))
    assert "\n" not in typed(name)
    assert in_bash(typed(name)) == [os.fsencode(name)]


@pytest.mark.parametrize("name", [*PLAIN, "a'b.csv", "$(touch x).csv", "a;b.csv", "`x`", "$'x'", "-rf x.csv"])
def test_another_name_stays_as_it_is_and_is_quoted_where_it_is_typed(name: str) -> None:
    assert named(name) == name
    assert in_bash(typed(name)) == [name.encode()]


def test_progress_tables_and_sentences_show_names_and_do_not_obey_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    plain = io.StringIO()

    with ProgressView(plain) as view:
        view.show([(NASTY, 1, 2, NASTY)])
    drawn = drawn_once(NASTY, 1, 2, NASTY, monkeypatch)
    table = render_table(["name"], [[NASTY]], cell_width=400)
    sentence = said("no_such_job", target=NASTY)

    for text, lines in ((plain.getvalue(), 1), (table + "\n", 2), (sentence + "\n", 2)):
        assert not COMMANDS.search(text)
        assert text.count("\n") == lines
    assert "\\u001b[2J" in drawn
    assert "⏎forged" in drawn
    assert not COMMANDS.search(drawn)


@pytest.mark.parametrize("state", ["检查中 being validated", "1 运行中 running", "完成 done"])
def test_at_eighty_columns_the_state_is_seen(monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    drawn = drawn_once("inbox/requests/test-model.jsonl", 1000, 1000, state, monkeypatch)

    assert f"1000/1000 {state}" in drawn
    assert "test-model" in drawn


def drawn_once(name: str, done: int, total: int, state: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a terminal shows at the end, without its own commands."""
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    with ProgressView(terminal) as view:
        view.show([(name, done, total, state)])
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", terminal.getvalue())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def rewrite(job: Pipeline, key: str, record: Record) -> None:
    job.store.put(key, record.to_bytes())


def status_of(job: Pipeline, target: str | None) -> None:
    Commands(OpenBucket(job.store, "drop"), say).status(target)


def test_the_board_and_a_job_show_odd_names_and_a_providers_words(capsys: pytest.CaptureFixture[str]) -> None:
    job = Pipeline(model=STORED)
    plan = job.plan
    source = plan.source.model_copy(update={"key": f"inbox/{STORED}.csv"})
    rewrite(job, record_key(JobId(JOB), "plan.json"), plan.model_copy(update={"source": source}))
    reason = WaitingFor(code="no_money", message=f"请充值。\n{STORED}", since=job.clock.now())
    rewrite(job, ticket_key(Stage.READY, attempt()), ReadyTicket(waiting_for=reason))

    status_of(job, None)
    board = capsys.readouterr().out
    status_of(job, JOB)
    detail = capsys.readouterr().out

    for shown in (board, detail):
        assert "\\u001b[2J" in shown  # the provider's words
        assert not COMMANDS.search(shown)
    assert [line for line in board.split("\n") if line.startswith("forged")] == []
    assert [line for line in detail.split("\n") if line.startswith("forged")] == []


@pytest.mark.parametrize("command", [["init"], ["recipe", "show"], ["status", "--data"], ["cancel", "x"]])
@pytest.mark.parametrize("is_there", [False, True])
def test_every_command_shows_the_names_that_a_shell_hands_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str], is_there: bool
) -> None:
    name = NASTY.replace("\0", "").replace("/", "")[:80]
    path = tmp_path / f"{name}.csv"
    if is_there:
        path.write_text(f'id,"a\x1b[2J\nb",comment\n1,x,{STORED}\n', encoding="utf-8")

    with contextlib.suppress(SystemExit):  # argparse says what is wrong
        main([*command, str(path)], {})

    told = capsys.readouterr()
    assert told.out + told.err
    assert not COMMANDS.search(told.out + told.err)


@pytest.mark.parametrize("name", ["good\rbad.csv", "\x1b[2J.csv", "a\nb.csv", "\u202egpj.csv", "it's\t.csv"])
def test_a_name_is_taken_back_as_it_is_shown(name: str) -> None:
    job = Pipeline()
    key = f"inbox/{name}"
    source = job.plan.source.model_copy(update={"key": key})
    rewrite(job, record_key(JobId(JOB), "plan.json"), job.plan.model_copy(update={"source": source}))
    heard: list[str] = []
    commands = Commands(OpenBucket(job.store, "drop"), heard.append)
    commands.status(None)
    shown = next(word for word in re.findall(r"\$'(?:[^'])*'", "".join(heard)))

    commands.status(in_bash(shown)[0].decode())

    assert f"job {JOB}: {shown}" in "".join(heard)


def test_usage_errors_show_what_was_typed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        Parser(prog="x").parse_args([NASTY])

    assert "\\u001b[2J" in (told := capsys.readouterr().err)
    assert not COMMANDS.search(told)


def test_a_report_names_its_file_harmlessly() -> None:
    problem = Problem("empty_file", file=f"{NASTY}.csv")

    for shown in (render_problem(problem, "zh"), render_problem(problem, "en")):
        assert "\\u001b[2J" in shown
        assert not COMMANDS.search(shown)
        assert "\n" not in shown


def test_a_log_line_is_harmless_and_says_the_same() -> None:
    record = logging.LogRecord("shared", logging.INFO, "x.py", 1, "file.read", (), None)
    record.key = NASTY

    line = JsonFormatter().format(record)

    assert not COMMANDS.search(line)
    assert json.loads(line)["key"] == NASTY
