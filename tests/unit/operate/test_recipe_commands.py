"""``scripts/batchdrop init`` and ``recipe show``: on files of this machine, without any cloud."""

from __future__ import annotations

import gzip
import io
import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.operate.__main__ import main
from scripts.operate.recipes.local_folder import LocalFolder
from scripts.operate.recipes.recipe_text import recipe_text
from scripts.operate.texts.said import TEXTS
from scripts.operate.texts.text import Text
from shared.formats.visible_text import visible
from shared.problems.exceptions import ObjectMissing
from shared.recipes.prompts import compile_prompt
from shared.recipes.tasks.task import TASKS
from tests.support.reading import recipe

TABLE = "订单号,商品,评论,链接\nA1,电饭煲,很好用，买给父母的,https://example.com/a/very/long/link\nA2,耳机,坏了,https://example.com/b\n"
CLASSIFY = "model: qwen-flash\nclassify: {column: 评论, labels: [好评, 差评]}\n"


def workbook(*rows: Sequence[str]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


class Terminal:
    """Somebody who types in a folder."""

    def __init__(
        self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.folder = folder
        self._capsys = capsys
        monkeypatch.setenv("CALLED_FROM", str(folder))

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def types(self, *arguments: str) -> tuple[int, str]:
        before = self.names()
        status = main(arguments, {})
        if arguments[0] == "recipe":
            assert self.names() == before  # it only looks
        said = self._capsys.readouterr()
        return status, said.out + said.err

    def names(self) -> list[str]:
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*"))


@pytest.fixture
def terminal(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Terminal:
    # Another test may have set up the functions' log, which a command never does.
    caplog.set_level("WARNING", logger="shared")
    return Terminal(tmp_path, capsys, monkeypatch)


# recipe show.


def test_the_first_row_is_shown_as_the_model_reads_it(terminal: Terminal) -> None:
    terminal.file("a.csv", TABLE)
    terminal.file("batch.yaml", CLASSIFY + "system: 你很仔细。\nparameters: {temperature: 0}\n")

    status, said = terminal.types("recipe", "show", "a.csv")

    assert status == 0
    assert '表格 table    a.csv: csv, utf-8, ",", 2 行 rows' in said
    assert "答案 columns  label" in said
    assert "\n报价：不到 ¥0.0001（批量价）；没有上限" in said
    assert "no ceiling: write max_tokens: 500 in parameters" in said
    assert "──── system\n你很仔细。\n──── user\n判断下面的内容" in said
    assert "内容：\n很好用，买给父母的\n──── 参数 parameters\n" in said
    assert json.loads(said.rpartition("parameters\n")[2]) == {
        "model": "qwen-flash",
        "enable_thinking": False,
        "response_format": {"type": "json_object"},
        "temperature": 0,
    }


@pytest.mark.parametrize("beside", [None, "prompt: 'Say {{ b }}'\n", "nonsense: 1\n"])
def test_another_recipe_than_the_one_beside_can_be_named(terminal: Terminal, beside: str | None) -> None:
    terminal.file("a.csv", TABLE)
    terminal.file("new/other.yaml", "model: qwen-flash\nprompt: 'Ask {{ 评论 }}'\n")
    if beside:
        terminal.file("batch.yaml", beside)

    status, said = terminal.types("recipe", "show", "a.csv", "--recipe", "new/other.yaml")

    assert (status, "Ask 很好用" in said) == (0, True)
    assert "配方 recipe   other.yaml" in said


def test_a_recipe_that_is_named_must_be_there(terminal: Terminal) -> None:
    terminal.file("a.csv", TABLE)

    status, said = terminal.types("recipe", "show", "a.csv", "--recipe", "none.yaml")

    assert (status, "none.yaml" in said) == (1, True)


@pytest.mark.parametrize(
    ("name", "content", "recipe_lines", "shown"),
    [
        ("a.tsv", "a\tb\n1\tx y\n", "translate: {column: b, to: French}", "Text:\nx y\n"),
        ("a.csv.gz", gzip.compress(b"a,b\n1,x y\n", mtime=0), "prompt: 'Say {{ b }}'", "user\nSay x y\n"),
        ("a.csv", "a,b\n1,很好\n".encode("gb18030"), "prompt: '说 {{ b }}'", "user\n说 很好\n"),
        ("a.csv", b"a,b\n1,x y\n", "embed: {column: b}", "input\nx y\n"),
        ("a.xlsx", workbook(["a", "b"], ["1", "x y"]), "prompt: 'Say {{ b }}'", "user\nSay x y\n"),
        ("a.jsonl", b'{"custom_id":"1","method":"POST","url":"/v1/embeddings","body":{"model":"m","input":["p","q"]}}\n',
         "prompt: '{{ b }}'", 'input\n[\n  "p",\n  "q"\n]\n'),
    ],
)  # fmt: skip
def test_every_format_is_shown(
    terminal: Terminal, name: str, content: bytes | str, recipe_lines: str, shown: str
) -> None:
    terminal.file(name, content)
    model = "text-embedding-v4" if "embed" in recipe_lines else "qwen-flash"
    terminal.file("batch.yaml", f"model: {model}\n{recipe_lines}\n")

    status, said = terminal.types("recipe", "show", name)

    assert status == 0, said
    assert shown in said


@pytest.mark.parametrize(
    ("table", "recipe_lines", "code"),
    [
        ("a,b\n1,x\n", "classify: {column: c, labels: [x, y]}", "missing_column"),
        ("a,b\n1,x\n2\n", "prompt: '{{ b }}'", "ragged_row"),
        ("a,b\n1,x\n", "prompt: '{{ b '", "template_syntax"),
        ("a,b\n1,x\n", "classify: {column: b, labels: [x]}", "recipe_too_few_labels"),
        ("a,b\n", "prompt: '{{ b }}'", "no_rows"),
        ("", "prompt: '{{ b }}'", "empty_file"),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_the_report(
    terminal: Terminal, table: str, recipe_lines: str, code: str
) -> None:
    terminal.file("a.csv", table)
    terminal.file("batch.yaml", f"model: qwen-flash\n{recipe_lines}\n")

    status, said = terminal.types("recipe", "show", "a.csv")

    assert status == 1
    assert "[would_be_refused]\n文件 a.csv 未通过检查" in said
    assert f"[{code}]" in said


def test_skipped_rows_and_warnings_are_shown(terminal: Terminal) -> None:
    terminal.file("a.csv", "a,b\n1,x\n2\n3,y\n")
    terminal.file("batch.yaml", "model: qwen-flush\nprompt: '{{ b }}'\non_bad_rows: skip\n")

    status, said = terminal.types("recipe", "show", "a.csv")

    assert status == 0
    assert "1 row(s) would not be sent" in said
    assert "[ragged_row]" in said
    assert "[unknown_model]" in said
    assert "──── user\nx\n" in said


def test_the_nearest_recipe_of_an_inbox_counts_and_outside_only_the_one_beside(terminal: Terminal) -> None:
    terminal.file("inbox/batch.yaml", "model: qwen-flash\nprompt: 'Far {{ b }}'\n")
    terminal.file("inbox/near/batch.yml", "model: qwen-flash\nprompt: 'Near {{ b }}'\n")
    for folder in ("inbox/near", "inbox/far/away", "elsewhere/below"):
        terminal.file(f"{folder}/a.csv", "a,b,c\n1,x,y\n")
    terminal.file("elsewhere/batch.yaml", "model: qwen-flash\nprompt: 'Never {{ b }}'\n")

    assert "user\nNear x\n" in terminal.types("recipe", "show", "inbox/near/a.csv")[1]
    assert "user\nFar x\n" in terminal.types("recipe", "show", "inbox/far/away/a.csv")[1]
    assert "[two_columns_expected]" in terminal.types("recipe", "show", "elsewhere/below/a.csv")[1]


def test_a_misnamed_recipe_beside_the_table_is_told(terminal: Terminal) -> None:
    terminal.file("a.csv", "a,b\n1,x\n")
    terminal.file("Batch.yaml.txt", CLASSIFY)

    status, said = terminal.types("recipe", "show", "a.csv")

    assert (status, "[recipe_name_beside]" in said) == (1, True)


@pytest.mark.parametrize(
    ("name", "content", "status", "code"),
    [
        ("batch.yaml", CLASSIFY, 0, "recipe_is_right"),
        ("batch.yaml", "model: qwen-flash\n", 1, "recipe_without_question"),
        (".hidden.csv", TABLE, 1, "starts_nothing"),
        ("a.pdf", "x", 1, "unknown_file_type"),
        ("folder/x", "x", 1, "unknown_file_type"),
    ],
)
def test_what_is_no_table_is_said_to_be_none(
    terminal: Terminal, name: str, content: str, status: int, code: str
) -> None:
    terminal.file(name, content)

    ended, said = terminal.types("recipe", "show", name)

    assert (ended, f"[{code}]" in said) == (status, True), said


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("nothing.csv", "no_such_file"),
        ("../nothing.csv", "no_such_file"),
        ("/nothing.csv", "no_such_file"),
        ("folder", "is_a_folder"),
        ("folder/", "is_a_folder"),
        (".", "is_a_folder"),
    ],
)
@pytest.mark.parametrize("command", [("recipe", "show"), ("init",)])
def test_what_is_no_file_is_said_to_be_none(
    terminal: Terminal, command: Sequence[str], name: str, code: str
) -> None:
    (terminal.folder / "folder").mkdir()

    status, said = terminal.types(*command, name)

    assert (status, f"[{code}]" in said) == (1, True)


# init.


def test_a_recipe_is_written_that_asks_about_the_column_with_the_longest_texts(terminal: Terminal) -> None:
    terminal.file("a.csv", TABLE)

    status, said = terminal.types("init", "a.csv")

    assert (status, "[recipe_written]" in said) == (0, True)
    written = (terminal.folder / "batch.yaml").read_text(encoding="utf-8")
    assert "#   订单号, 商品, 评论, 链接\n" in written
    assert "output" not in written
    assert (
        "user\n用一句话概括下面的内容。\n\n很好用，买给父母的\n"
        in terminal.types("recipe", "show", "a.csv")[1]
    )


def test_the_lines_about_money_of_a_new_recipe_can_be_used_as_they_are(terminal: Terminal) -> None:
    terminal.file("a.csv", TABLE)
    terminal.types("init", "a.csv")
    written = terminal.folder / "batch.yaml"
    text = written.read_text(encoding="utf-8")

    written.write_text(re.sub(r"(?m)^# (?=parameters:|price:)", "", text), encoding="utf-8")

    said = terminal.types("recipe", "show", "a.csv")[1]
    assert ("最多 " in said, "at most " in said) == (True, True)


def test_a_path_that_goes_up_is_shown_without_its_detour(terminal: Terminal) -> None:
    (terminal.folder / "b").mkdir()
    terminal.file("a.csv", TABLE)

    assert "/../" not in terminal.types("init", "b/../a.csv")[1]


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("id,title,body\n1,Hello,It never arrived\n2,A title that is rather long,Lost\n3,x,It is broken again\n", "body"),
        ("sku,note\nAB-2026-0001-XXL-000001,too small\n", "note"),
        ("date,time,note\n2026年11月26日 09:30:00,2026-11-26T09:30:00,no\n", "note"),
        ("mail,note\nsomebody.with.a.long.name@example.com,ok then\n", "note"),
        ("phone,amount,note\n+86 138 0000 0000,\"1,234,567.00\",ok\n", "note"),
        ("englisch,中文\nten letter,四个汉字\n", "中文"),
        ("a,b\n1,2\n", "a"),
        ("a,b,b\n1,a long text,another long text\n", "a"),
        (" a ,, b\n1,a long text,text\n", "b"),
        ("id,text\n1,Hello\n", "text"),
        ("编号,问题\nq1,你好吗\n", "问题"),
        ("Q1 2026,note\n1,Hello\n", "note"),
        ("\u200btext,id\nHello,1\n", "text"),
        ('id,"note\n(required)"\n1,Hello\n', "note (required)"),
    ],
)  # fmt: skip
def test_the_column_of_the_texts_is_guessed(terminal: Terminal, table: str, column: str) -> None:
    terminal.file("a.csv", table)

    assert f'asks about the column "{column}"' in terminal.types("init", "a.csv")[1]


@pytest.mark.parametrize(
    ("table", "asks"),
    [
        ("id,review\n1,味道不错，会回购\n2,OK\n3,包装破了，不新鲜\n", "用一句话概括下面的内容。"),
        ("编号,评论\n1,It never arrived\n2,Tastes of 豆腐\n3,Broken again\n", "Summarize the text below"),
        ("编号,评论\n1,\n", "用一句话概括下面的内容。"),
    ],
)
def test_a_recipe_asks_in_the_language_of_the_texts(terminal: Terminal, table: str, asks: str) -> None:
    terminal.file("a.csv", table)

    assert terminal.types("init", "a.csv")[0] == 0
    assert asks in (terminal.folder / "batch.yaml").read_text(encoding="utf-8")


def test_a_recipe_that_is_read_is_named_before_one_that_is_not(terminal: Terminal) -> None:
    for name in ("a.csv", "Batch.yaml", "batch.yaml"):
        terminal.file(name, TABLE)

    assert "[recipe_exists]" in terminal.types("init", "a.csv")[1]


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("2026年汇总,,\n制表：张三,,\n类别,门店,反馈\n饮料,南门,太甜了\n", 3),
        ("2026年汇总,,\n制表：张三,,\n类别,门店,反馈\n", 3),
        ("汇总\t\n类别\t反馈\n饮料\t太甜了\n", 2),
        ("Summary;;\n;;\nkind;shop;note\ntea;south;too sweet\n", 3),
        ("类别,反馈\n饮料,\n,太甜了\n,\n", 1),
        ("类别,\n饮料,\n茶,\n", 1),
    ],
)
def test_titles_with_empty_cells_behind_them_are_no_header(terminal: Terminal, table: str, line: int) -> None:
    terminal.file("a.csv", table)

    assert terminal.types("init", "a.csv")[0] == 0

    written = recipe((terminal.folder / "batch.yaml").read_text(encoding="utf-8"))
    assert (written.header_row or 1) == line


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", TABLE.encode("gb18030")),
        ("a.csv", b"\xff\xfe" + TABLE.encode("utf-16-le")),
        ("a.csv.gz", gzip.compress(TABLE.encode(), mtime=0)),
        ("a.tsv", TABLE.replace(",", "\t").encode()),
        ("a.xlsx", workbook(*(line.split(",") for line in TABLE.split("\n")[:3]))),
    ],
)
def test_init_reads_every_table(terminal: Terminal, name: str, content: bytes) -> None:
    terminal.file(name, content)

    assert 'the column "评论"' in terminal.types("init", name)[1]
    assert terminal.types("recipe", "show", name)[0] == 0
    written = recipe((terminal.folder / "batch.yaml").read_text(encoding="utf-8"))
    assert written.output.format == ("xlsx" if name.endswith(".xlsx") else "csv")


@pytest.mark.parametrize("name", ["订单 评论.csv", "it's.csv", "a(1)$x.csv", "plain.csv", "a/b c.csv", "x.jsonl", "x y.jsonl"])  # fmt: skip
def test_what_is_to_be_typed_next_can_be_pasted(terminal: Terminal, name: str) -> None:
    table = terminal.file(name, TABLE)

    said = terminal.types("init", name)[1]

    zh, en = re.findall(r"scripts/batchdrop (recipe show .*?) (?:查看|检查|print|and put)", said)
    assert shlex.split(zh) == shlex.split(en) == ["recipe", "show", str(table)]


@pytest.mark.parametrize("text", [*TEXTS.values()])
def test_every_command_that_is_named_can_be_typed(text: Text) -> None:
    for said in text:
        assert not re.search(r"(?<!scripts/)batchdrop [a-z]", said)


@pytest.mark.parametrize(
    ("name", "above", "line", "is_named"),
    [
        ("a.csv", "", 1, False),
        ("a.csv", "\n\n", 3, False),
        ("a.csv", ",,,\n,,,\n", 3, True),
        ("a.csv", "2026\n\n", 3, True),
        ("a.tsv", "\n", 2, False),
    ],
)
def test_init_says_on_which_line_the_column_names_are(
    terminal: Terminal, name: str, above: str, line: int, *, is_named: bool
) -> None:
    table = above + TABLE
    terminal.file(name, table.replace(",", "\t") if name.endswith(".tsv") else table)

    assert terminal.types("init", name)[0] == 0

    written = (terminal.folder / "batch.yaml").read_text(encoding="utf-8")
    assert f"列名在第 {line} 行。 The columns of the table; line {line} has their names:" in written
    assert (f"\nheader_row: {line}\n" in written) is is_named
    assert terminal.types("recipe", "show", name)[0] == 0


@pytest.mark.parametrize(
    ("existing", "code"),
    [
        ("batch.yaml", "recipe_exists"),
        ("batch.yml", "recipe_exists"),
        ("Batch.yaml", "recipe_misnamed"),
        ("batch.yaml.txt", "recipe_misnamed"),
        ("batch (1).yaml", "recipe_misnamed"),
    ],
)
def test_no_recipe_is_overwritten_or_put_beside_another(terminal: Terminal, existing: str, code: str) -> None:
    terminal.file("a.csv", TABLE)
    terminal.file(existing, "mine")

    status, said = terminal.types("init", "a.csv")

    assert (status, f"[{code}]" in said, existing in said) == (1, True, True)
    assert ("rename it to batch.yaml" in said) == (code == "recipe_misnamed")
    assert terminal.names() == sorted(["a.csv", existing])
    assert (terminal.folder / existing).read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.jsonl", "{}\n", "needs_no_recipe"),
        ("a.csv", "", "empty_file"),
        ("a.csv", "\n\n", "no_columns"),
        ("a.csv", ",,\n1,2,3\n", "no_columns"),
        ("a.csv", "x", "only_a_header"),
        ("a.csv", "id,text\r\n", "only_a_header"),
        ("a.tsv", "\ufeffx\n\n", "only_a_header"),
        ("a.xlsx", workbook(["a", "b"]), "only_a_header"),
        ("a.csv", "a,a\n1,2\n", "no_columns"),
        ("a.csv", "q1,你好吗\nq2,再见\n", "no_header"),
        ("a.tsv", "1\tHello, world\n2\tBye\n", "no_header"),
        ("a.csv", "2026-11-26,Hello world\n2026-11-27,Bye\n", "no_header"),
        ("a.xls", "x", "spreadsheet_file"),
        ("a.xlsx", "x", "spreadsheet_is_text"),
        ("a.csv", b"PK\x03\x04\x00\x00", "not_a_text_file"),
    ],
)
def test_init_refuses_what_it_cannot_write_a_recipe_for(
    terminal: Terminal, name: str, content: str | bytes, code: str
) -> None:
    terminal.file(name, content)

    status, said = terminal.types("init", name)

    assert (status, f"[{code}]" in said) == (1, True), said
    assert terminal.names() == [name]


def test_the_result_of_a_parquet_file_is_parquet_again(tmp_path: Path) -> None:
    assert recipe(recipe_text("a.parquet", ["a"], "a", "parquet", "en")).output.format == "parquet"
    assert recipe(recipe_text("a.csv", ["a"], "a", None, "en")).output.format == "csv"


def uncommented(text: str, task: str) -> str:
    """The recipe after somebody chose another of the five."""
    without_prompt = re.sub(r"^prompt: \|\n(  .*\n|\n)+", "", text, flags=re.MULTILINE)
    block = re.search(rf"^# {task}:.*\n(#   .*\n)*", without_prompt, re.MULTILINE)
    assert block is not None
    model = "text-embedding-v4" if task == "embed" else "qwen-flash"
    return f"model: {model}\n" + re.sub(r"^# ", "", block[0], flags=re.MULTILINE)


NAMES = st.text(
    st.sampled_from("ab评 _-.:#{}%\"'\\&*!|>[],1\n\t\u200b\u2028\x85😀") | st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10
).map(lambda name: f"a{name}".strip())  # fmt: skip


@given(NAMES, st.sampled_from(["prompt", *TASKS]))
def test_what_init_writes_is_right_whatever_the_columns_are_called(column: str, question: str) -> None:
    named = visible(column)
    text = recipe_text(
        f"{column}.csv", [named, "other"], named, "parquet", "en", line=7, is_below_titles=True
    )
    if question != "prompt":
        text = uncommented(text, question)

    made = compile_prompt(recipe(text), [column, "other"]).render(["THE CELL", ""])[1]

    assert made.endswith("THE CELL")


@pytest.mark.parametrize("name", ["true", "null", "no", "~", "1", "1.5", "-", "- a", "a: b", "{{ x }}", "if", "loop", "row"])  # fmt: skip
@pytest.mark.parametrize("question", ["prompt", *TASKS])
def test_names_that_mean_something_elsewhere_are_only_names(name: str, question: str) -> None:
    text = recipe_text("a.csv", [name], name, None, "en")
    if question != "prompt":
        text = uncommented(text, question)

    assert compile_prompt(recipe(text), [name]).render(["THE CELL"])[1].endswith("THE CELL")


# The folder and the command.


def test_nothing_is_written_where_the_table_is(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x")
    (tmp_path / "scratch").mkdir()
    store = LocalFolder(tmp_path / "a.csv", tmp_path / "scratch")

    for change in (lambda: store.put("inbox/b", b""), lambda: store.delete("inbox/a.csv")):
        with pytest.raises(PermissionError):
            change()

    assert store.get("inbox/a.csv") == b"x"
    with pytest.raises(ObjectMissing):
        store.get("inbox/b")
    with pytest.raises(ObjectMissing):
        list(store.read("inbox/a.csv", etag="OTHER"))


def test_what_is_written_is_kept_apart_and_found_again(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    store = LocalFolder(tmp_path / "a.csv", tmp_path / "scratch")

    assert store.put_if_absent("jobs/1/a", b"one")
    assert not store.put_if_absent("jobs/1/a", b"two")
    store.put("jobs/2/b", b"three")
    store.concatenate("work/c", ["jobs/1/a", "jobs/2/b"])
    with store.open_writer("jobs/1/never") as writer:
        writer.write(b"x")

    assert [head.key for head in store.list("jobs/")] == ["jobs/1/a", "jobs/2/b"]
    assert (store.get("jobs/1/a"), store.get("work/c")) == (b"one", b"onethree")
    store.delete("jobs/1/a")
    store.delete("jobs/1/a")
    assert store.head("jobs/1/a") is None
    assert [path.name for path in tmp_path.iterdir()] == ["scratch"]


@pytest.mark.parametrize("arguments", [("--data", "x", "status"), ("status", "--data", "x")])
def test_the_folder_may_be_named_before_or_after_the_command(
    terminal: Terminal, arguments: Sequence[str]
) -> None:
    status, said = terminal.types(*arguments)

    assert (status, "[no_cloud_there]" in said) == (1, True)
    assert str(terminal.folder / "x") in said


@pytest.mark.parametrize("arguments", [["init"], ["recipe"], ["recipe", "show"], ["recipe", "print", "x"]])
def test_a_command_without_its_file_is_wrong_usage(arguments: list[str]) -> None:
    assert main(arguments, {}) == 2


def test_a_file_that_may_not_be_read_is_told(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "a.csv")

    monkeypatch.setattr("scripts.operate.recipes.new_recipe.LocalFolder", denied)
    terminal.file("a.csv", TABLE)

    status, said = terminal.types("init", "a.csv")

    assert (status, "[file_error]" in said, "a.csv" in said) == (1, True, True)
