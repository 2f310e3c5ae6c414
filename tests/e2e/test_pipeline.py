"""From a dropped file to its result over real HTTP, with every event delivered twice."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import oss2

from scripts.localcloud.answers.built_in_texts import answer_for, embedding_for
from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.bailian.service_faults import BatchFault
from tests.e2e.conftest import RunningCloud
from tests.support.waiting import PATIENCE_S, wait_until

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RECIPE = "model: qwen-flash\nprompt: 'Say {{ name }}'\n"


def report_of(cloud: RunningCloud, name: str) -> dict[str, object]:
    document: dict[str, object] = json.loads(cloud.wait_for(name.removesuffix(".csv") + ".report.json"))
    return document


def test_a_folder_copied_by_hand_comes_back_answered_row_by_row(cloud: RunningCloud) -> None:
    shutil.copytree(EXAMPLES / "reviews", cloud.path("inbox/hand/reviews"))

    rows = cloud.wait_for_rows("results/hand/reviews/reviews.csv")

    with (EXAMPLES / "reviews" / "reviews.csv").open(encoding="utf-8", newline="") as source:
        originals = list(csv.DictReader(source))
    assert len(originals) == 39
    assert list(rows[0])[:5] == ["订单号", "商品", "评论", "status", "content"]
    assert [{name: row[name] for name in originals[0]} for row in rows] == originals
    for row in rows:
        prompt = f"判断下面这条“{row['商品']}”评论的情感，只回答：好评、中评、差评。\n\n{row['评论']}"
        assert (row["status"], row["content"]) == ("answered", answer_for(prompt))


def test_no_batch_is_paid_twice_and_nothing_is_left_behind(cloud: RunningCloud) -> None:
    shutil.copytree(EXAMPLES / "requests", cloud.path("inbox/once"))

    rows = cloud.wait_for_rows("results/once/test-model.csv")
    cloud.wait_until_quiet()

    report = report_of(cloud, "results/once/test-model.csv")
    assert [row["custom_id"] for row in rows] == [f"q-{number:03d}" for number in range(1, 121)]
    assert {row["content"] for row in rows} == {"This is a test result."}
    assert sorted(cloud.batches_of(str(report["job_id"]))) == sorted(report["batches"])  # type: ignore[call-overload]
    assert len(cloud.batches_of(str(report["job_id"]))) == 2
    assert report["adds_up"] is True
    assert cloud.provider_files() == []


def test_embeddings_come_back_as_one_column(cloud: RunningCloud) -> None:
    shutil.copytree(EXAMPLES / "sentences", cloud.path("inbox/vectors"))

    rows = cloud.wait_for_rows("results/vectors/sentences.csv")

    assert json.loads(rows[0]["content"]) == embedding_for(rows[0]["sentence"], 64)
    assert len(rows) == 30


def test_a_two_column_table_needs_no_recipe(cloud: RunningCloud) -> None:
    cloud.drop("plain/two.csv", "7,你好\n8,再见\n".encode("gb18030"))

    rows = cloud.wait_for_rows("results/plain/two.csv")

    assert [(row["id"], row["prompt"], row["content"]) for row in rows] == [
        ("7", "你好", answer_for("你好")),
        ("8", "再见", answer_for("再见")),
    ]
    assert report_of(cloud, "results/plain/two.csv")["encoding"] == "gb18030"


def test_odd_names_and_gb18030_output_work(cloud: RunningCloud) -> None:
    cloud.drop("odd/batch.yaml", (RECIPE + "output: {encoding: gb18030}\n").encode())
    cloud.drop("odd/客户 名单+1%.csv", 'name,note\n王,"a,\nb"\n'.encode())

    rows = cloud.wait_for_rows("results/odd/客户 名单+1%.csv", "gb18030")

    assert [(row["name"], row["note"], row["content"]) for row in rows] == [
        ("王", "a,\nb", answer_for("Say 王"))
    ]


def test_a_multipart_upload_is_one_job(cloud: RunningCloud) -> None:
    line = '{{"custom_id":"{}","method":"POST","url":"/v1/chat/completions","body":{{"model":"qwen-flash","messages":[{{"role":"user","content":"{}"}}]}}}}\n'
    lines = "".join(line.format(number, "x" * 2000) for number in range(100)).encode()
    upload = cloud.bucket.init_multipart_upload("inbox/parts/big.jsonl").upload_id
    pieces = [lines[:110_000], lines[110_000:]]
    parts = [
        oss2.models.PartInfo(n, cloud.bucket.upload_part("inbox/parts/big.jsonl", upload, n, piece).etag)
        for n, piece in enumerate(pieces, 1)
    ]

    cloud.bucket.complete_multipart_upload("inbox/parts/big.jsonl", upload, parts)

    assert len(cloud.wait_for_rows("results/parts/big.csv")) == 100


def test_a_refused_file_is_answered_in_both_languages_and_costs_nothing(cloud: RunningCloud) -> None:
    before = len(cloud.provider_files())

    cloud.drop("bad/q.jsonl", b'{"custom_id":"a"}\n\xff\xfe\n')

    report = cloud.wait_for("rejected/bad/q.jsonl.report.txt").decode("utf-8-sig")
    assert "第 1 行" in report
    assert "Line 1" in report
    assert "Line 2" in report
    assert cloud.wait_for("rejected/bad/q.jsonl.report.csv").startswith(b"\xef\xbb\xbfline,field,code")
    assert not cloud.path("results/bad").exists()
    assert len(cloud.provider_files()) == before


def test_skipped_rows_come_back_with_their_reason(cloud: RunningCloud) -> None:
    cloud.drop("skip/batch.yaml", (RECIPE + "on_bad_rows: skip\n").encode())
    cloud.drop("skip/names.csv", b"name,age\nAda,1\nBo\nCy,3\n")

    rows = cloud.wait_for_rows("results/skip/names.csv")

    assert [(row["name"], row["status"], row["error_code"]) for row in rows] == [
        ("Ada", "answered", ""),
        ("Bo", "refused", "ragged_row"),
        ("Cy", "answered", ""),
    ]


def test_the_timer_alone_finishes_a_batch_of_which_nothing_is_heard(cloud: RunningCloud) -> None:
    cloud.bailian.faults.add(BatchFault(callbacks=0, events=0))

    cloud.drop("silent/two.csv", b"1,hello\n")

    assert [row["status"] for row in cloud.wait_for_rows("results/silent/two.csv")] == ["answered"]


def test_the_answers_of_an_expired_batch_are_kept_and_only_the_rest_is_sent_again(
    cloud: RunningCloud,
) -> None:
    cloud.bailian.faults.add(BatchFault(outcome="expire", after_rows=2))

    cloud.drop("expired/two.csv", b"".join(b"%d,hello %d\n" % (n, n) for n in range(5)))

    rows = cloud.wait_for_rows("results/expired/two.csv")
    report = report_of(cloud, "results/expired/two.csv")
    assert [row["content"] for row in rows] == [answer_for(f"hello {n}") for n in range(5)]
    first, second = (cloud.client.batches.retrieve(each) for each in report["batches"])  # type: ignore[attr-defined]
    assert (first.status, second.status) == ("expired", "completed")
    assert second.request_counts is not None
    assert second.request_counts.total == 3


def test_rows_that_fail_in_either_file_get_their_reason_and_lost_ones_are_named(cloud: RunningCloud) -> None:
    cloud.drop("rows/batch.yaml", (RECIPE + "attempts: 1\n").encode())
    names = ["ok", "[[fail:DataInspectionFailed]]", "[[refuse:400]]", "[[status:429]]", "[[lost]]"]
    cloud.drop("rows/names.csv", ("name\n" + "\n".join(names) + "\n").encode())

    rows = cloud.wait_for_rows("results/rows/names.csv")

    assert [row["status"] for row in rows] == ["answered", "refused", "refused", "refused", "missing"]
    assert rows[1]["error_code"] == "DataInspectionFailed"


def test_a_create_whose_answer_was_lost_is_found_again_and_not_repeated(cloud: RunningCloud) -> None:
    cloud.bailian.faults.add(BatchFault(cut_connection=True))

    cloud.drop("cut/two.csv", b"1,hello\n")

    assert [row["status"] for row in cloud.wait_for_rows("results/cut/two.csv")] == ["answered"]
    report = report_of(cloud, "results/cut/two.csv")
    assert cloud.batches_of(str(report["job_id"])) == report["batches"]


def test_a_provider_that_is_busy_for_a_while_only_costs_time(cloud: RunningCloud) -> None:
    cloud.bailian.faults.add(CallFault(route="batches.create", status=429, code="limit_requests", times=2))
    cloud.bailian.faults.add(CallFault(route="files.content", status=500, times=1))

    cloud.drop("busy/two.csv", b"1,hello\n")

    assert [row["status"] for row in cloud.wait_for_rows("results/busy/two.csv")] == ["answered"]


def test_dropping_the_same_file_again_pays_nothing_and_brings_a_deleted_result_back(
    cloud: RunningCloud,
) -> None:
    cloud.drop("again/two.csv", b"1,hello\n")
    first = cloud.wait_for("results/again/two.csv")
    job_id = str(report_of(cloud, "results/again/two.csv")["job_id"])
    cloud.wait_until_quiet()
    cloud.bucket.delete_object("results/again/two.csv")

    cloud.drop("again/two.csv", b"1,hello\n")

    assert cloud.wait_for("results/again/two.csv") == first
    assert len(cloud.batches_of(job_id)) == 1


def test_the_callback_answers_404_to_a_guess(cloud: RunningCloud) -> None:
    import requests

    url = f"{cloud.cloud.gateway.url_of('Callback')}/finished/0123456789abcdef/1-00001/{'0' * 64}"

    answer = requests.post(url, json={"status": "completed"}, timeout=PATIENCE_S)

    assert answer.status_code == 404
    wait_until(lambda: cloud.cloud.invoker.idle, "events are under way")
    assert cloud.board() == []


def test_what_a_job_under_ceilings_cost_is_spent_and_nothing_stays_reserved(cloud: RunningCloud) -> None:
    cloud.bucket.put_object("budget.yaml", b"folders: {capped: 5 CNY}\n")
    terms = b"parameters: {max_tokens: 100}\nprice: {at_most: 1 CNY}\n"
    cloud.drop("capped/batch.yaml", b"model: qwen-flash\nprompt: 'Say {{ name }}'\n" + terms)

    cloud.drop("capped/t.csv", b"name\nAda\nBo\n")

    rows = cloud.wait_for_rows("results/capped/t.csv")
    cloud.wait_until_quiet()
    balances = [json.loads(path.read_bytes()) for path in cloud.path("money").glob("*/*/*")]
    assert [row["status"] for row in rows] == ["answered", "answered"]
    assert [(each["spent"] > 0, each["reserved"]) for each in balances] == [(True, {}), (True, {})]
