from __future__ import annotations

import pytest

from shared.inputs.formats import file_form_for
from shared.inputs.inbox_keys import FileForm, InputKind, KeyRole, is_near_recipe, is_yaml_name, key_role_for
from shared.problems.exceptions import UserInputError
from shared.problems.render import quote, render_problem
from shared.recipes.recipe import Recipe
from tests.support.reading import RECIPE, assert_told, opened


@pytest.mark.parametrize(
    ("key", "role"),
    [
        ("inbox/", KeyRole.FOLDER_MARKER),
        ("inbox/评论/", KeyRole.FOLDER_MARKER),
        ("inbox/batch.yaml", KeyRole.RECIPE),
        ("inbox/a/Batch.YML", KeyRole.INPUT),
        ("inbox/.DS_Store", KeyRole.HIDDEN),
        ("inbox/~$reviews.csv", KeyRole.HIDDEN),
        ("inbox/Thumbs.db", KeyRole.HIDDEN),
        ("inbox/batch.yaml.example", KeyRole.HIDDEN),
        ("inbox/__MACOSX/a.csv", KeyRole.HIDDEN),
        ("inbox/a.csv", KeyRole.INPUT),
        ("inbox/a.docx", KeyRole.INPUT),
        ("inbox/mybatch.yaml", KeyRole.INPUT),
    ],
)
def test_a_key_says_what_an_object_in_the_inbox_is(key: str, role: KeyRole) -> None:
    assert key_role_for(key) is role


@pytest.mark.parametrize(
    ("key", "with_recipe", "kind"),
    [
        ("inbox/a.jsonl", None, InputKind.REQUEST_JSONL),
        ("inbox/a.NDJSON", RECIPE, InputKind.REQUEST_JSONL),
        ("inbox/a.csv", RECIPE, InputKind.RECIPE_CSV),
        ("inbox/a.TSV", RECIPE, InputKind.RECIPE_CSV),
        ("inbox/a.csv", None, InputKind.TWO_COLUMN_CSV),
        ("inbox/a.xlsx", RECIPE, InputKind.RECIPE_CSV),
        ("inbox/a.parquet", None, InputKind.TWO_COLUMN_CSV),
        ("inbox/a.ndjson.gz", RECIPE, InputKind.REQUEST_JSONL),
    ],
)
def test_name_and_recipe_decide_what_the_rows_are(
    key: str, with_recipe: Recipe | None, kind: InputKind
) -> None:
    assert opened(key, lambda: iter(()), with_recipe).facts.kind is kind


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("inbox/a.XLS", "spreadsheet_file"),
        ("inbox/a.ods", "spreadsheet_file"),
        ("inbox/a.gz", "compressed_file"),
        ("inbox/a.csv.gz.gz", "compressed_file"),
        ("inbox/a.tar.gz", "compressed_file"),
        ("inbox/a.zip", "compressed_file"),
        ("inbox/a.json", "json_file"),
        ("inbox/a.txt", "text_file"),
        ("inbox/a.log", "unknown_file_type"),
        ("inbox/a.csv/notes", "unknown_file_type"),
        ("inbox/noextension", "unknown_file_type"),
    ],
)
def test_other_files_are_refused_with_advice(key: str, code: str) -> None:
    with pytest.raises(UserInputError) as refusal:
        file_form_for(key, 1)

    assert_told(refusal.value.problems)
    assert [problem.code for problem in refusal.value.problems] == [code]


@pytest.mark.parametrize(
    ("key", "form"),
    [
        ("inbox/a.tsv", FileForm("tsv", is_text=True)),
        ("inbox/a.NDJSON.GZ", FileForm("jsonl", is_text=True, is_gzip=True)),
        ("inbox/a.xlsm", FileForm("xlsx", is_text=False)),
        ("inbox/a.Xlsx.gz", FileForm("xlsx", is_text=False, is_gzip=True)),
        ("inbox/a.parquet", FileForm("parquet", is_text=False)),
    ],
)
def test_the_name_says_how_a_file_is_written_down(key: str, form: FileForm) -> None:
    assert file_form_for(key, 1) == form


def test_an_empty_file_is_refused_before_it_is_opened() -> None:
    with pytest.raises(UserInputError) as refusal:
        file_form_for("inbox/a.csv", 0)

    assert refusal.value.problems[0].code == "empty_file"


@pytest.mark.parametrize(
    "name",
    [
        "Batch.yaml",
        "BATCH.YML",
        "batch.yaml.txt",
        "batch.yml.yml",
        "batch.yaml.yaml",
        "Batch.YAML.TXT",
        "batch .yaml",
        "batch.yaml ",
        "batch(1).yaml",
        "batch (2).yaml",
        "batch.yaml (1)",
        "batch - 副本.yaml",
        "batch - 副本 (2).yaml",
        "batch的副本.yaml",
        "复件 batch.yaml",
        "Copy of batch.yaml",
        "batch copy.yaml",
        "batch.yaml.bak",
        "batch.yaml~",
        "batch.yaml.gz",
        "batch.yml.zip",
        "batch2.yml",
        "batch_v2.yaml",
        "batch.ymal",
        "bacth.yaml",
        "batchs.yaml",
        "batch_yaml",
        "batchyaml",
        "batch。yaml",
        "batch,yaml",
        "ｂａｔｃｈ.yaml",
        "batch\u200b.yaml",
        "\u202abatch.yaml",
        "batch.txt",
        "batch(1).txt",
        "batch (1).txt",
        "btach.yml",
        "batc.yaml",
        "batch",
    ],
)
def test_a_name_near_that_of_a_recipe_is_told_as_it_is_written(name: str) -> None:
    with pytest.raises(UserInputError) as refusal:
        file_form_for(f"inbox/a/{name}", 1)

    (problem,) = refusal.value.problems
    assert is_near_recipe(name)
    assert (problem.code, problem.found) == ("recipe_name", name)
    assert quote(name) in render_problem(problem, "zh")
    assert quote(name) in render_problem(problem, "en")


@pytest.mark.parametrize(
    ("name", "is_yaml"),
    [
        ("batch.yaml", True),
        ("batch.yml", True),
        ("reviews.yaml", True),
        ("recipe.yml.txt", True),
        ("配方.yaml", True),
        ("match.yaml", True),
        ("patch.yaml", True),
        ("catch.yml", True),
        ("watch.yaml", True),
        ("Bath.yaml", True),
        ("beach.yaml", True),
        ("botch (1).yaml", True),
        ("batch_id.yaml", True),
        ("batch1.txt", False),
        ("batch_1.txt", False),
        ("batch-02.txt", False),
        ("batch v2.txt", False),
        ("Batch 2", False),
        ("batch(2)", False),
        ("batch.docx", False),
        ("batch.csv", False),
        ("batch(1).xlsx", False),
        ("batch.json", False),
        ("notes.txt", False),
        ("family", False),
        ("a" * 101 + ".yaml", False),
        ("1" * 1000, False),
        ("batch" + "(1)" * 300, False),
    ],
)
def test_no_other_name_is_taken_for_the_recipe_of_a_table(name: str, is_yaml: bool) -> None:
    assert not is_near_recipe(name)
    assert is_yaml_name(name) is is_yaml


def test_a_refused_file_is_named_as_it_is_written() -> None:
    with pytest.raises(UserInputError) as refusal:
        file_form_for("inbox/Report.DOCX", 1)

    assert refusal.value.problems[0].found == "Report.DOCX"
