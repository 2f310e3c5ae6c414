from __future__ import annotations

import pytest

from shared.inputs.formats import file_form_for
from shared.inputs.inbox_keys import FileForm, InputKind, KeyRole, key_role_for
from shared.problems.exceptions import UserInputError
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
        ("inbox/a.txt", "unknown_file_type"),
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
        ("inbox/a.tsv", FileForm("csv", is_text=True)),
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
