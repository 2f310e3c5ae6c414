"""Results in every form that a recipe may ask for, over HTTP, with every event delivered twice."""

from __future__ import annotations

import json

from tests.e2e.conftest import RunningCloud

RECIPE = "model: qwen-flash\nprompt: 'Answer in JSON. [[say]]{{ row[\"answer\"] }}'\n"
TABLE = 'answer\n"{""mood"": ""good"", ""tags"": [""a"", ""b""]}"\n"no JSON"\n"```json\n{""mood"": ""=bad""}\n```"\n'


def test_json_answers_come_back_as_columns_and_what_is_none_says_so(cloud: RunningCloud) -> None:
    columns = "columns: {mood: mood, first: 'tags[0]'}\nparameters: {response_format: {type: json_object}}\n"
    cloud.drop("columns/batch.yaml", (RECIPE + columns).encode())
    cloud.drop("columns/answers.csv", TABLE.encode())

    rows = cloud.wait_for_rows("results/columns/answers.csv")

    assert list(rows[0])[-2:] == ["mood", "first"]
    assert [(row["status"], row["mood"], row["first"], row["error_code"]) for row in rows] == [
        ("answered", "good", "a", ""),
        ("answered", "", "", "answer_not_json"),
        ("answered", "'=bad", "", "answer_does_not_fit"),
    ]
    assert [row["content"] for row in rows] == [row["answer"] for row in rows]
    report = json.loads(cloud.wait_for("results/columns/answers.report.json"))
    assert report["unread_answers"] == {"answer_does_not_fit": 1, "answer_not_json": 1}
    assert report["adds_up"] is True


def test_a_schema_is_sent_with_the_rows_and_checked_and_jsonl_is_raw(cloud: RunningCloud) -> None:
    more = "columns: {properties: {mood: {enum: [good, bad]}, tags: {}}, required: [mood]}\noutput: {format: jsonl}\n"
    cloud.drop("typed/batch.yaml", (RECIPE + more).encode())
    cloud.drop("typed/answers.csv", TABLE.encode())

    cloud.wait_for("results/typed/answers.report.json")
    lines = cloud.wait_for("results/typed/answers.jsonl")

    rows = [json.loads(line) for line in lines.split(b"\n")[:-1]]
    assert [(row["mood"], row["tags"], row["error_code"]) for row in rows] == [
        ("good", ["a", "b"], ""),
        (None, None, "answer_not_json"),
        ("=bad", None, "answer_does_not_fit"),
    ]
    assert all(isinstance(row["total_tokens"], int) for row in rows)
    report = json.loads(cloud.wait_for("results/typed/answers.report.json"))
    plan = json.loads(cloud.path(f"jobs/{report['job_id']}/plan.json").read_bytes())
    request = json.loads(cloud.path(plan["shards"][0]["requests_key"]).read_bytes().split(b"\n")[0])
    assert request["body"]["response_format"]["json_schema"]["name"] == "answer"


def test_formulas_in_cells_headers_and_answers_are_guarded_unless_the_recipe_says_no(
    cloud: RunningCloud,
) -> None:
    recipe = "model: qwen-flash\nprompt: '[[say]]{{ row[\"=cell\"] }}'\n"
    for folder, more in (("guarded", ""), ("bare", "output: {formula_guard: false}\n")):
        cloud.drop(f"{folder}/batch.yaml", (recipe + more).encode())
        cloud.drop(f"{folder}/cells.csv", b"=cell,n\n=1+1,-5\n")

    (guarded,) = cloud.wait_for_rows("results/guarded/cells.csv")
    (bare,) = cloud.wait_for_rows("results/bare/cells.csv")

    assert (guarded["'=cell"], guarded["n"], guarded["content"]) == ("'=1+1", "-5", "'=1+1")
    assert (bare["=cell"], bare["n"], bare["content"]) == ("=1+1", "-5", "=1+1")


def test_rows_that_want_json_without_saying_so_are_refused_and_the_ledger_had_warned(
    cloud: RunningCloud,
) -> None:
    recipe = (
        "model: qwen-flash\nprompt: 'Say {{ name }}'\nparameters: {response_format: {type: json_object}}\n"
    )
    cloud.drop("unsaid/batch.yaml", recipe.encode())
    cloud.drop("unsaid/names.csv", b"name\nAda\n")

    (row,) = cloud.wait_for_rows("results/unsaid/names.csv")

    assert (row["status"], row["error_code"]) == ("refused", "invalid_parameter_error")
    report = json.loads(cloud.wait_for("results/unsaid/names.report.json"))
    assert "[prompt_without_json]" in report["warnings"][0]


def test_a_task_needs_no_prompt_and_its_answers_are_checked(cloud: RunningCloud) -> None:
    recipe = "model: qwen-flash\nclassify: {column: 评论, labels: [好评, 中评, 差评]}\n"
    cloud.drop("labels/batch.yaml", recipe.encode())
    cloud.drop("labels/reviews.csv", '评论\n很好\n"[[say]]{""label"": ""神评""}"\n'.encode())

    fits, outside = cloud.wait_for_rows("results/labels/reviews.csv")

    assert (fits["status"], fits["error_code"]) == ("answered", "")
    assert fits["label"] in {"好评", "中评", "差评"}
    assert (outside["status"], outside["label"]) == ("answered", "神评")
    assert outside["error_code"] == "answer_does_not_fit"
    assert '"神评" is not one of "好评", "中评", "差评"' in outside["error_message"]


def test_a_table_that_grew_sends_its_new_rows_only_and_one_that_did_not_sends_none(
    cloud: RunningCloud,
) -> None:
    recipe = "model: qwen-flash\nprompt: '[[say]]{{ text }}'\nreuse: 30d\noutput: {format: jsonl}\n"
    cloud.drop("grew/batch.yaml", recipe.encode())
    cloud.drop("grew/day-1.csv", b"text\nfine\n=1+1\n")
    cloud.wait_for("results/grew/day-1.report.json")
    cloud.drop("grew/batch.yaml", recipe.replace("jsonl", "csv").encode())

    cloud.drop("grew/day-2.csv", b"text\nnew\n=1+1\nfine\n")
    grown = cloud.wait_for_rows("results/grew/day-2.csv")
    cloud.drop("grew/day-3.csv", b"n,text\n1,fine\n2,=1+1\n")
    same = cloud.wait_for_rows("results/grew/day-3.csv")

    assert [row["content"] for row in grown] == ["new", "'=1+1", "fine"]
    assert [row["content"] for row in same] == ["fine", "'=1+1"]
    second, third = (json.loads(cloud.path(f"results/grew/day-{n}.report.json").read_bytes()) for n in (2, 3))
    assert (second["rows_sent"], second["rows_reused"], second["adds_up"]) == (1, 2, True)
    assert (third["rows_sent"], third["rows_reused"], third["adds_up"]) == (0, 2, True)
    assert cloud.batches_of(third["job_id"]) == []
    assert "2 were answered before" in cloud.path("quotes/grew/day-3.csv.quote.txt").read_text()
