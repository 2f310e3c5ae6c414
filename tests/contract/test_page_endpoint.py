"""The page's API over HTTP: what a link opens and what it does not, under the template's role."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.events.delivery_faults import FaultKind, FaultRule
from scripts.localcloud.open_clients import store_of
from scripts.localcloud.options import CloudOptions
from shared.bucket.keys import withdrawn_key
from shared.links.token import Link, token_for
from tests.support.waiting import PATIENCE_S, wait_until

SECRET = "a-secret-that-signs-links-in-tests-only"
RECIPE = "model: qwen-flash\nprompt: |\n  判断：{{ 评论 }}\n"
TABLE = "订单号,评论\n1,密语一\n2,密语二\n3,[[fail:a]]\n"
NOW = datetime.now(timezone.utc)


def token(folder: str, link_id: str = "0" * 16, days: int = 1, *, operator: bool = False) -> str:
    link = Link(link_id, folder, is_operator=operator, expires_at=NOW + timedelta(days=days))
    return token_for(link, SECRET.encode())


class Visitor:
    """Somebody with a link, and what the page sends for them."""

    def __init__(self, cloud: LocalCloud, bearer: str | None) -> None:
        self.cloud = cloud
        self.headers = {"X-Batchdrop": "page"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})

    def ask(self, method: str, path: str, **sent: Any) -> requests.Response:
        url = f"{self.cloud.gateway.url}/api/{path}"
        return requests.request(
            method, url, headers=self.headers | sent.pop("headers", {}), timeout=PATIENCE_S, **sent
        )

    def get(self, where: str, **query: object) -> Any:
        return self.ask("GET", where, params=query).json()

    def drop(self, name: str, content: bytes) -> None:
        """As the page does: by a form that it was given."""
        form = self.ask("POST", "uploads", json={"name": name, "size": len(content)}).json()
        answer = requests.post(form["url"], data=form["fields"], files={"file": content}, timeout=PATIENCE_S)
        assert answer.status_code == 204, answer.text

    def wait_for(self, path: str, *states: str) -> Any:
        def has_come() -> bool:
            found.update({job["path"]: job for job in self.get("jobs")["jobs"]})
            return path in found and found[path]["state"] in states

        found: dict[str, Any] = {}
        wait_until(has_come, f"{path} does not become {states}", every_s=0.3)
        return self.get("job", path=path)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    parameters = {"PageOpen": "", "PageSecret": SECRET}
    options = CloudOptions(
        tmp_path_factory.mktemp("page"), timer_interval_s=2.0, workers=1, parameters=parameters
    )
    with LocalCloud(options) as running:
        yield running
        log = (running.logs_dir / "page.log").read_text()
        # Nothing was refused by its role; nothing of a table, a name or a link is in the log.
        secrets = (SECRET, token("a/"), token("a/").partition(".")[2], "密语", "reviews", "results/")
        assert not [each for each in ("AccessDenied", "Traceback", *secrets) if each in log]


@pytest.fixture
def visitor(cloud: LocalCloud) -> Visitor:
    return Visitor(cloud, token("a/"))


def test_a_file_goes_all_the_way_from_the_drop_to_the_download(visitor: Visitor) -> None:
    saved = visitor.ask("PUT", "recipe", json={"text": RECIPE})
    visitor.drop("reviews.csv", TABLE.encode())
    job = visitor.wait_for("reviews.csv", "incomplete")
    url = visitor.get("download", path="reviews.csv")["url"]
    result = requests.get(url, timeout=PATIENCE_S)

    assert (saved.status_code, saved.json()) == (200, {"path": "a/batch.yaml"})
    assert (job["rows"], job["answered"], job["counts"]) == (3, 2, {"answered": 2, "refused": 1})
    assert (job["can_cancel"], job["can_retry"], job["model"]) == (False, True, "qwen-flash")
    assert job["first_results"]["columns"][:4] == ["订单号", "评论", "status", "content"]
    assert [row[2] for row in job["first_results"]["rows"]] == ["answered", "answered", "refused"]
    assert job["quote"]["zh"].startswith("不到 ¥0.0001")
    assert job["quote"]["en"].startswith("less than ¥0.0001")
    assert result.content.startswith("\ufeff订单号,评论,status".encode())
    assert result.headers["Content-Disposition"] == "attachment; filename*=UTF-8''reviews.csv"
    assert result.headers["Content-Type"] == "application/octet-stream"


def test_a_job_that_is_under_way_is_cancelled(visitor: Visitor) -> None:
    visitor.ask("PUT", "recipe", json={"text": RECIPE})
    visitor.cloud.delivery_faults.add(FaultRule(kind=FaultKind.DROP, function="Submit"))
    try:
        visitor.drop("stop.csv", TABLE.encode())
        before = visitor.wait_for("stop.csv", "sending")
        cancelled = visitor.ask("POST", "cancel", json={"path": "stop.csv"}).json()
        after = visitor.get("job", path="stop.csv")
    finally:
        visitor.cloud.delivery_faults.clear()
    visitor.ask("POST", "cancel", json={"path": "stop.csv"})  # or the timer wakes it, later
    job = visitor.wait_for("stop.csv", "cancelled")

    assert cancelled == {"job_id": before["job_id"], "said": "cancelled"}
    assert (before["can_cancel"], after["can_cancel"], job["can_retry"]) == (True, False, True)
    assert (job["counts"], job["result"]) == ({"cancelled": 3}, "stop.csv")


def test_open_rows_are_sent_again_and_a_job_is_cancelled_once(visitor: Visitor) -> None:
    visitor.ask("PUT", "recipe", json={"text": RECIPE})
    visitor.drop("again.csv", TABLE.encode())
    first = visitor.wait_for("again.csv", "incomplete")

    other = visitor.ask("POST", "retry", json={"path": "again.csv", "job_id": "f" * 16})
    retried = visitor.ask("POST", "retry", json={"path": "again.csv", "job_id": first["job_id"]}).json()
    second = visitor.wait_for("again.csv", "incomplete")

    assert retried == {"job_id": second["job_id"], "said": "started", "rows": 1}
    assert second["job_id"] != first["job_id"]
    assert (other.status_code, other.json()["error"]) == (409, "job_replaced")
    refused = visitor.ask("POST", "cancel", json={"path": "again.csv"})
    assert (refused.status_code, refused.json()["error"]) == (409, "nothing_to_cancel")


def test_a_quote_is_seen_and_approved(visitor: Visitor) -> None:
    terms = "parameters: {max_tokens: 50}\nprice: {approve: always}\n"
    visitor.ask("PUT", "recipe", json={"text": RECIPE + terms})
    visitor.drop("dear.csv", "订单号,评论\n1,密语一\n".encode())
    job = visitor.wait_for("dear.csv", "approval")
    seen = {"path": "dear.csv", "job_id": job["job_id"]}

    other = visitor.ask("POST", "approve", json={**seen, "digest": "0" * 12})
    approved = visitor.ask("POST", "approve", json={**seen, "digest": job["approval"]["digest"]})
    done = visitor.wait_for("dear.csv", "done")
    again = visitor.ask("POST", "approve", json={**seen, "digest": job["approval"]["digest"]})

    assert job["approve_until"] > NOW.isoformat()
    assert (job["can_cancel"], job["approval"]["en"]) == (True, "the recipe wants an approval each time")
    assert (other.status_code, other.json()["error"]) == (409, "approval_of_another")
    assert approved.json() == {"job_id": job["job_id"], "said": "approved"}
    assert (done["approval"], done["counts"]) == (None, {"answered": 1})
    assert again.status_code == 200


def test_a_file_beside_it_approves_the_quote_that_lies_in_the_bucket(visitor: Visitor) -> None:
    terms = "parameters: {max_tokens: 50}\nprice: {approve: above 0.000001 CNY}\n"
    visitor.ask("PUT", "recipe", json={"text": RECIPE + terms})
    visitor.drop("beside.csv", "订单号,评论\n1,密语一\n".encode())
    visitor.wait_for("beside.csv", "approval")
    bucket = visitor.cloud.bucket_dir
    report = bucket / "rejected" / "a" / "beside.csv.approve.report.txt"
    quote = json.loads((bucket / "quotes" / "a" / "beside.csv.quote.json").read_text())

    (bucket / "inbox" / "a" / "beside.csv.approve").write_text("0" * 12)
    wait_until(report.exists, "no report")
    said = report.read_text()
    (bucket / "inbox" / "a" / "beside.csv.approve").write_text(f"{quote['digest']}\r\n")
    done = visitor.wait_for("beside.csv", "done")

    assert "[approval_of_another]" in said
    assert not report.exists()
    assert (done["counts"], quote["approve_until"] > NOW.isoformat()) == ({"answered": 1}, True)
    assert [*(bucket / "approve").glob("*")] == []


def test_a_file_that_is_replaced_while_its_job_waits_is_approved_as_it_is_now(visitor: Visitor) -> None:
    terms = "parameters: {max_tokens: 50}\nprice: {approve: always, sample: 1}\n"
    visitor.ask("PUT", "recipe", json={"text": RECIPE + terms})
    visitor.drop("twice.csv", "订单号,评论\n1,密语一\n".encode())
    old = visitor.wait_for("twice.csv", "approval")
    marks = visitor.cloud.bucket_dir / "approve"

    visitor.drop("twice.csv", "订单号,评论\n1,密语二\n2,密语三\n".encode())
    wait_until(lambda: not (marks / old["job_id"]).exists(), "the earlier job waits on")
    new = visitor.wait_for("twice.csv", "approval")
    ledger = visitor.cloud.bucket_dir / "jobs" / old["job_id"] / "ledger.json"
    wait_until(ledger.exists, "the earlier job is not closed")

    assert json.loads(ledger.read_text())["by_status"] == {"answered": 1}  # its sample
    assert [line["en"] for line in new["lines"] if line["en"].startswith("Besides: ")]
    assert [job["path"] for job in visitor.get("jobs")["to_approve"]] == ["twice.csv"]
    visitor.ask("POST", "cancel", json={"path": "twice.csv", "job_id": new["job_id"]})


def test_what_may_be_spent_is_shown_to_whom_it_concerns(visitor: Visitor) -> None:
    store = store_of(visitor.cloud)
    assert visitor.cloud.bailian is not None
    faults = visitor.cloud.bailian.faults
    store.put("budget.yaml", b"month: 9 CNY\nfolders: {a: 5 CNY, a/b: 1 CNY, other: 3 CNY}\n")
    faults.paused = True
    try:
        visitor.ask("PUT", "recipe", json={"text": f"{RECIPE}parameters: {{max_tokens: 50}}\n"})
        visitor.drop("cheap.csv", "订单号,评论\n1,密语一\n".encode())

        def shown() -> list[dict[str, str]]:
            found: list[dict[str, str]] = visitor.get("jobs")["money"]
            return found if found and found[0]["reserved"] != "¥0.00" else []

        money = wait_until(shown, "no money is shown", every_s=0.3)
    finally:
        store.delete("budget.yaml")
        faults.paused = False
    visitor.wait_for("cheap.csv", "done")

    assert [(each["folder"], each["at_most"]) for each in money] == [
        ("", "¥9.00"),
        ("a", "¥5.00"),
        ("a/b", "¥1.00"),
    ]
    assert [each["free"] for each in money[1:]] == ["¥4.99", "¥1.00"]  # rounded down


def test_a_refusal_is_shown_beside_its_rows(visitor: Visitor) -> None:
    visitor.ask("PUT", "recipe", json={"text": RECIPE})
    visitor.drop("wrong.csv", "订单号,评论\n1,好\n2\n".encode())
    job = visitor.wait_for("wrong.csv", "refused")
    report = requests.get(visitor.get("download", path="wrong.csv")["url"], timeout=PATIENCE_S)

    (problem,) = job["refusal"]["problems"]
    assert (problem["line"], problem["code"]) == (3, "ragged_row")
    assert problem["row"] == {"columns": ["订单号", "评论"], "rows": [["2"]]}
    assert (job["refusal"]["more"], job["refusal"]["report"]) == (0, "wrong.csv.report.txt")
    assert "[ragged_row]" in report.text


def test_a_table_and_a_recipe_are_looked_at_before_anything_is_dropped(visitor: Visitor) -> None:
    table = visitor.ask("POST", "table", params={"name": "x.csv"}, data=TABLE.encode("gb18030")).json()
    checked = visitor.ask("POST", "recipe/check", json={"text": RECIPE, **table}).json()
    wrong = visitor.ask("POST", "recipe/check", json={"text": RECIPE.replace("评论", "评轮"), **table}).json()
    unsaved = visitor.ask("PUT", "recipe", json={"text": "model: qwen-flash"})

    assert table == {
        "columns": ["订单号", "评论"],
        "rows": [["1", "密语一"], ["2", "密语二"], ["3", "[[fail:a]]"]],
    }
    assert checked == {"problems": [], "prompt": {"system": None, "prompt": "判断：密语一"}}
    assert [problem["code"] for problem in wrong["problems"]] == ["missing_column"]
    assert (unsaved.status_code, unsaved.json()["error"]) == (400, "recipe_wrong")
    assert [problem["code"] for problem in unsaved.json()["problems"]] == ["recipe_without_question"]


def test_a_recipe_that_somebody_else_has_changed_is_not_written_over(visitor: Visitor) -> None:
    visitor.ask("PUT", "recipe", json={"text": RECIPE})
    seen = visitor.get("recipe")
    visitor.ask("PUT", "recipe", json={"text": RECIPE + "# mine", "etag": seen["etag"]})

    late = visitor.ask("PUT", "recipe", json={"text": RECIPE + "# yours", "etag": seen["etag"]})

    assert (late.status_code, late.json()["error"]) == (409, "recipe_changed")
    assert visitor.get("recipe")["text"].endswith("# mine")


def test_a_recipe_is_tried_on_the_first_rows_before_anything_is_dropped(visitor: Visitor) -> None:
    asked = {
        "text": RECIPE,
        "columns": ["订单号", "评论"],
        "rows": [["1", "密语一"], ["2", "[[refuse:400]]"]],
    }
    tried = visitor.ask("POST", "preview", json=asked).json()
    wrong = visitor.ask("POST", "preview", json=asked | {"columns": ["订单号", "评轮"]})
    elsewhere = visitor.ask("POST", "preview", json=asked | {"text": f"provider: ark\n{RECIPE}"})

    answered, refused = tried["answers"]
    assert visitor.get("session")["preview"] is True
    assert (tried["provider"], tried["model"]) == ("bailian", "qwen-flash")
    assert (answered["answer"][:7], answered["error"]) == ("answer(", "")
    assert (refused["answer"], bool(refused["error"])) == ("", True)
    assert (wrong.status_code, wrong.json()["problems"][0]["code"]) == (400, "missing_column")
    assert (elsewhere.status_code, elsewhere.json()["error"]) == (400, "recipe_wrong")


def test_a_link_tries_recipes_now_and_then_only(visitor: Visitor) -> None:
    eager = Visitor(visitor.cloud, token("a/", link_id="e" * 16))
    asked = {"text": "wrong", "columns": ["a"], "rows": []}

    said = [eager.ask("POST", "preview", json=asked).status_code for _ in range(21)]

    assert set(said) == {400, 429}


def test_only_an_operator_is_shown_the_whole_installation(visitor: Visitor) -> None:
    operator = Visitor(visitor.cloud, token("", operator=True))

    refused = visitor.ask("GET", "operator")
    shown = operator.get("operator")

    assert (refused.status_code, refused.json()["error"]) == (403, "operator_only")
    assert shown.keys() == {"waiting", "untold", "repairs_24h", "dead_letter_queue"}
    assert (shown["waiting"], shown["dead_letter_queue"][-5:]) == ([], "-dead")


# Who is let in.


@pytest.mark.parametrize(
    ("bearer", "code"),
    [
        (None, "link_missing"),
        ("nonsense", "link_invalid"),
        (token("a/")[:-1], "link_invalid"),
        (token("a/", days=-1), "link_expired"),
        (token("a/", link_id="f" * 16), "link_withdrawn"),
    ],
)
def test_without_a_good_link_nothing_is_told(cloud: LocalCloud, bearer: str | None, code: str) -> None:
    store_of(cloud).put(withdrawn_key("f" * 16), b"")

    answer = Visitor(cloud, bearer).ask("GET", "jobs")

    assert (answer.status_code, answer.json()["error"]) == (401, code)
    assert answer.json().keys() == {"error", "zh", "en"}


def test_what_no_page_of_ours_has_sent_is_not_done(visitor: Visitor) -> None:
    """A foreign page can set none of these headers without asking, and is never allowed to."""
    url = f"{visitor.cloud.gateway.url}/api"
    bearer = {"Authorization": visitor.headers["Authorization"]}

    plain = requests.post(f"{url}/cancel", json={"path": "x"}, headers=bearer, timeout=PATIENCE_S)
    asked = requests.options(f"{url}/cancel", headers=bearer, timeout=PATIENCE_S)
    foreign = requests.post(
        f"{url}/cancel",
        json={"path": "x"},
        headers=visitor.headers | {"Origin": "https://evil.example"},
        timeout=PATIENCE_S,
    )

    assert (plain.status_code, plain.json()["error"]) == (403, "not_from_page")
    assert (asked.status_code, foreign.status_code) == (405, 403)
    assert not [name for name in asked.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize(
    "path", ["../b/secret.csv", "/b/secret.csv", "..%2Fb/secret.csv", "", ".", "batch.yaml"]
)
def test_no_path_leads_out_of_the_folder(visitor: Visitor, path: str) -> None:
    store_of(visitor.cloud).put("inbox/b/secret.csv", b"1,x\n")

    for method, where in (("GET", "job"), ("GET", "download"), ("POST", "cancel"), ("POST", "retry")):
        sent = {"params": {"path": path}} if method == "GET" else {"json": {"path": path}}
        answer = visitor.ask(method, where, **sent)
        assert (answer.status_code, answer.json()["error"]) == (404, "no_such_file"), where
    assert all("secret" not in job["path"] for job in visitor.get("jobs")["jobs"])


@pytest.mark.parametrize("name", ["../x.csv", "/x.csv", "a//x.csv", ".hidden.csv", "x.csv/", "", "x\x00.csv"])
def test_no_form_is_signed_for_another_place(visitor: Visitor, name: str) -> None:
    answer = visitor.ask("POST", "uploads", json={"name": name, "size": 1})

    assert (answer.status_code, answer.json()["error"]) == (400, "name_not_taken")


def test_a_form_takes_its_own_file_and_no_more(visitor: Visitor) -> None:
    form = visitor.ask("POST", "uploads", json={"name": "n.csv", "size": 3}).json()

    def post(content: bytes, **changed: str) -> int:
        return requests.post(
            form["url"], data=form["fields"] | changed, files={"file": content}, timeout=PATIENCE_S
        ).status_code

    assert form["fields"]["key"] == "inbox/a/n.csv"
    assert (post(b"1234"), post(b"1,x", key="inbox/b/n.csv"), post(b"1,x", key="results/a/n.csv")) == (
        400,
        403,
        403,
    )


@pytest.mark.parametrize(
    ("method", "path", "size", "status"),
    [
        ("POST", "cancel", 65 * 1024, 413),
        ("PUT", "recipe", 600 * 1024, 413),
        ("POST", "recipe/check", 2 * 1024 * 1024, 413),
        ("POST", "table?name=x.csv", 8 * 1024 * 1024 + 1, 413),
        ("POST", "nowhere", 100_000, 413),
    ],
)
def test_a_body_that_is_too_large_is_not_read(
    visitor: Visitor, method: str, path: str, size: int, status: int
) -> None:
    answer = visitor.ask(method, path, data=b"x" * size)

    assert (answer.status_code, answer.json()["error"]) == (status, "request_too_large")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"path":1}', b'{"path":"x","also":1}', b"[" * 5000, b"\xff"]
)
def test_a_body_that_cannot_be_understood_is_said_to_be(visitor: Visitor, body: bytes) -> None:
    answer = visitor.ask("POST", "cancel", data=body)

    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/static/js/main.js", 200),
        ("GET", "/static/../app.py", 404),
        ("GET", "/static/..%2Fapp.py", 404),
        ("GET", "/api/jobs", 403),
        ("GET", "/api/nowhere", 404),
        ("PUT", "/api/jobs", 405),
        ("POST", "/api/table", 413),
    ],
)
def test_every_answer_forbids_what_the_page_does_not_need(
    cloud: LocalCloud, method: str, target: str, status: int
) -> None:
    body = b"x" * 9_000_000 if status == 413 else None
    request = requests.Request(method, cloud.gateway.url, data=body).prepare()
    request.url = f"{cloud.gateway.url}{target}"
    answer = requests.Session().send(request, timeout=PATIENCE_S)

    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    oss = urlsplit(cloud.oss.url)
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "Content-Disposition" not in answer.headers
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == f"'self' {oss.scheme}://{oss.netloc}"
    assert "Set-Cookie" not in answer.headers
