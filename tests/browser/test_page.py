"""The page in a real browser, from a dropped file to its download, against the local cloud."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from scripts.localcloud.access.own_keys import page_secret
from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.open_clients import store_of
from scripts.localcloud.options import CloudOptions
from shared.bucket.keys import withdrawn_key
from shared.links.token import Link, token_for
from tests.browser.conftest import PATIENCE_MS, OpenPage
from tests.support.waiting import wait_until

REVIEWS = Path(__file__).resolve().parents[2] / "examples" / "reviews" / "reviews.csv"
HOUR = timedelta(hours=1)
SAY = "model: qwen-flash\nprompt: '[[say]]{{ 评论 }}'\n"
WRONG = '"><img src=x onerror=alert(1)>'
expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Folder:
    """One folder of a local cloud, and the link to it."""

    cloud: LocalCloud
    name: str

    def link(self, *, lasts: timedelta = HOUR, operator: bool = False, link_id: str = "0" * 16) -> str:
        link = Link(link_id, self.name, operator, datetime.now(timezone.utc) + lasts)
        token = token_for(link, page_secret(self.cloud.options.data_dir).encode())
        return f"{self.cloud.gateway.url}/#{token}"

    def put(self, name: str, content: str) -> None:
        """What somebody else has put there before."""
        store_of(self.cloud).put(f"inbox/{self.name}{name}", content.encode())

    def read(self, name: str) -> str:
        return (self.cloud.bucket_dir / "inbox" / self.name / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    options = CloudOptions(tmp_path_factory.mktemp("cloud"), scan_interval_s=0.3)
    with LocalCloud(options) as started:
        yield started


@pytest.fixture
def folder(cloud: LocalCloud, request: pytest.FixtureRequest) -> Iterator[Folder]:
    yield Folder(cloud, f"{request.node.originalname.removeprefix('test_')[:40]}/")
    assert cloud.bailian is not None
    cloud.bailian.faults.clear()


def drop(page: Page, name: str, content: str) -> None:
    """Let a file go over the window, as from a file manager."""
    page.locator("#files").wait_for(state="attached")
    transfer = page.evaluate_handle(
        """([name, content]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([content], name));
            return transfer;
        }""",
        [name, content],
    )
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})


def start(page: Page) -> None:
    page.get_by_role("button", name=re.compile("开始|Start")).click()


def choose(page: Page, task: str) -> None:
    page.get_by_role("radiogroup").get_by_text(task, exact=True).click()


def test_a_table_is_dropped_and_taken_home_with_its_answers(folder: Folder, open_page: OpenPage) -> None:
    page = open_page("zh-CN", 1280)
    page.goto(folder.link())

    drop(page, "评论.csv", REVIEWS.read_text(encoding="utf-8"))
    expect(page.get_by_role("region", name="表格的前几行")).to_contain_text("煮出来的米饭又香又软")
    asked = page.locator(".asked-prompt")
    expect(asked).to_contain_text("中评")
    page.get_by_label("类别，用逗号隔开").fill("满意，不满")
    expect(asked).to_contain_text("- 不满")
    expect(asked).to_contain_text("煮出来的米饭又香又软")
    page.get_by_role("button", name="先试 5 行").click()
    expect(page.get_by_role("region", name="前 5 行的测试答案（编造的）")).to_contain_text("满意")
    expect(page.locator("#top")).to_contain_text("新放入的表格只得到编造的测试答案")
    expect(page.locator("#main")).not_to_contain_text("计费")
    start(page)

    job = page.get_by_role("listitem").filter(has_text="评论.csv").filter(has_text="已完成")
    expect(job).to_contain_text("39 行都已回答")
    job.get_by_role("button", name="看前几行").click()
    expect(job.get_by_role("region", name="结果的前几行")).to_contain_text("label")
    with page.expect_download() as downloading:
        job.get_by_role("button", name="下载结果").click()
    text = downloading.value.path().read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert downloading.value.suggested_filename == "评论.csv"
    assert [row["status"] for row in rows] == ["answered"] * 39
    assert {row["label"] for row in rows} == {"满意", "不满"}
    assert "labels: [满意, 不满]" in folder.read("batch.yaml")


def test_all_of_it_works_from_the_keyboard_on_a_narrow_screen(folder: Folder, open_page: OpenPage) -> None:
    page = open_page("en-GB", 390)
    page.goto(folder.link())
    keyboard = page.keyboard

    page.locator("#files").wait_for(state="attached")
    keyboard.press("Tab")
    with page.expect_file_chooser() as choosing:
        keyboard.press("Space")
    choosing.value.set_files(REVIEWS)
    expect(page.get_by_role("radio", name="Classify")).to_be_checked()
    focus(page, "Classify")
    keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Extract")).to_be_checked()
    expect(page.locator(".asked-prompt")).to_contain_text("JSON")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    focus(page, "Start")
    keyboard.press("Enter")
    job = page.get_by_role("listitem").filter(has_text="all 39 rows answered")
    job.wait_for()
    focus(page, "reviews.csv")
    keyboard.press("Enter")

    expect(job.get_by_role("button", name="reviews.csv")).to_have_attribute("aria-expanded", "true")
    expect(job.get_by_role("region", name="First rows of the result")).to_contain_text("answered")
    folder.put("later.jsonl", "{}\n")
    expect(page.get_by_role("button", name="later.jsonl")).to_be_visible()
    assert page.evaluate("document.activeElement.innerText") == "reviews.csv"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def focus(page: Page, name: str) -> None:
    """Press Tab until what has this name has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = "document.activeElement.labels?.[0] ?? document.activeElement"
        if page.evaluate(f"({focused}).innerText.trim()").removeprefix("✓ ") == name:
            return
    pytest.fail(f"Tab does not lead to {name}")


def test_a_refusal_stands_beside_the_row_that_it_is_about(folder: Folder, open_page: OpenPage) -> None:
    folder.put("batch.yaml", SAY)
    page = open_page("zh-CN")
    page.goto(folder.link())

    drop(page, "坏.csv", "编号,评论\n1,好\n2,逗号,在中间\n")
    start(page)
    report = folder.cloud.bucket_dir / "rejected" / folder.name / "坏.csv.report.txt"
    page.route("**/api/jobs?*", lambda route: (wait_until(report.exists, "refused"), route.continue_()))

    job = page.get_by_role("listitem").filter(has_text="坏.csv").filter(has_text="已退回")
    expect(job).to_contain_text("什么也没有发送，没有产生费用")
    expect(job.get_by_role("region", name="第 3 行的内容")).to_contain_text("2逗号在中间")
    with page.expect_download() as downloading:
        job.get_by_role("button", name="下载完整报告").click()
    assert "坏.csv" in downloading.value.path().read_text(encoding="utf-8-sig")


def test_a_wrong_recipe_starts_nothing(folder: Folder, open_page: OpenPage) -> None:
    page = open_page("zh-CN")
    page.goto(folder.link())

    drop(page, "t.csv", "编号,评论\n1,好\n")
    choose(page, "编辑 batch.yaml")
    page.get_by_label("batch.yaml 的内容").fill("model: qwen-flash\npromt: x\n")
    expect(page.locator(".asked-prompt")).to_contain_text("promt")
    start(page)

    expect(page.locator(".start").get_by_role("alert")).to_contain_text("promt")
    expect(page.get_by_text("还没有任务")).to_be_visible()


def test_a_job_is_cancelled_and_its_rows_are_sent_again(folder: Folder, open_page: OpenPage) -> None:
    assert folder.cloud.bailian is not None
    faults = folder.cloud.bailian.faults
    folder.put("batch.yaml", SAY)
    page = open_page("zh-CN")
    page.goto(folder.link())
    faults.paused = True

    drop(page, "长.csv", "编号,评论\n1,好\n2,坏\n")
    expect(page.get_by_role("radio", name="用文件夹里的配方")).to_be_checked()
    start(page)
    job = page.get_by_role("listitem").filter(has_text="长.csv")
    expect(job).to_contain_text("正在回答已回答 0 / 2 行")
    expect(job).to_contain_text("最迟")
    job.get_by_role("button", name="取消").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(job).to_contain_text("正在回答")
    job.get_by_role("button", name="取消").click()
    page.route("**/api/jobs?*", lambda route: route.abort())  # the list has not heard of it yet
    page.get_by_role("dialog").get_by_role("button", name="取消任务").click()
    expect(job).to_contain_text("正在取消")
    expect(job.get_by_role("button", name="取消")).to_have_count(0)
    page.unroute("**/api/jobs?*")
    expect(job).to_contain_text("已取消2 行都没有答案")
    faults.paused = False
    job.get_by_role("button", name="重新发送未回答的行").click()

    expect(job).to_contain_text("已完成2 行都已回答")


def test_a_quote_is_looked_at_and_approved(folder: Folder, open_page: OpenPage) -> None:
    terms = "parameters: {max_tokens: 50}\nprice: {approve: above 0.000001 CNY, sample: 1}\n"
    folder.put("batch.yaml", f"{SAY}{terms}columns: {{x: what is no JSON}}\n")
    page = open_page("zh-CN")
    page.goto(folder.link())

    drop(page, "贵.csv", "编号,评论\n1,好\n2,坏\n")
    start(page)
    needs = page.get_by_role("region", name="需要您处理")
    job = needs.get_by_role("listitem").filter(has_text="贵.csv")
    expect(job).to_contain_text("等待批准")
    expect(job).to_contain_text("批准之前不再发送")
    expect(job).to_contain_text("已回答 1 / 2 行")
    expect(page.get_by_role("listitem").filter(has_text="贵.csv")).to_have_count(1)
    folder.put("贵.csv.approve", "000000000000")
    expect(needs).to_contain_text("不是这个文件现在的报价编号")
    job.get_by_role("button", name="查看报价并批准").click()
    dialog = page.get_by_role("dialog")
    for said in (
        "1 行（1 行已作为样本问过）",
        "可能超过 <¥0.0001",
        "回答 1 行（其中 1 个答案不合要求或被截断）",
    ):
        expect(dialog).to_contain_text(said)
    for about in ("发送", "输入", "输出", "费用", "实时调用", "价格", "样本", "报价编号", "最晚"):
        expect(dialog.locator("dt").filter(has_text=about)).not_to_have_count(0)
    page.set_viewport_size({"width": 390, "height": 640})
    expect(dialog.get_by_text("已经回答的行仍要付费")).to_be_in_viewport(ratio=1)
    page.set_viewport_size({"width": 1280, "height": 800})
    dialog.get_by_role("button", name="先不批准").click()
    expect(job).to_contain_text("等待批准")
    job.get_by_role("button", name="查看报价并批准").click()
    dialog.get_by_role("button", name="批准并发送").click()

    done = page.get_by_role("listitem").filter(has_text="贵.csv")
    expect(done).to_contain_text("已完成2 行都已回答 · 2 行的答案不合要求")
    expect(needs).to_be_hidden()


def test_a_recipe_waits_until_the_files_before_it_are_checked(folder: Folder, open_page: OpenPage) -> None:
    page = open_page("en-GB")
    page.goto(folder.link())
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(f"{folder.cloud.oss.url}/**", hold, times=1)

    for name in ("first.csv", "second.csv"):
        drop(page, name, "id,text\n1,x\n")
        choose(page, "Own prompt")
        page.get_by_role("textbox", name="Prompt").fill(f"[[say]]{name} of {{{{ id }}}}")
        start(page)
    expect(page.get_by_role("listitem").filter(has_text="second.csv")).to_contain_text("Queued")
    while not held:
        page.wait_for_timeout(50)
    held[0].continue_()

    for name in ("first.csv", "second.csv"):
        job = page.get_by_role("listitem").filter(has_text=name)
        job.get_by_role("button", name="First rows").click()
        expect(job.get_by_role("region", name="First rows")).to_contain_text(f"{name} of 1")


def test_a_file_is_stopped_also_while_its_recipe_is_put(folder: Folder, open_page: OpenPage) -> None:
    page = open_page("en-GB")
    page.goto(folder.link())
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(lambda url: url.endswith("/api/recipe"), hold, times=3)
    drop(page, "stopped.csv", "id,text\n1,x\n")
    let_through(page, held)
    choose(page, "Own prompt")
    start(page)
    let_through(page, held)
    let_through(page, held, lambda: page.get_by_role("button", name="Cancel").click())

    expect(page.get_by_role("listitem").filter(has_text="stopped.csv")).to_have_count(0)


def let_through(page: Page, held: list[Route], meanwhile: Callable[[], None] = lambda: None) -> None:
    while not held:
        page.wait_for_timeout(50)
    meanwhile()
    held.pop().continue_()


def test_a_check_that_never_ends_does_not_hold_the_next_file_for_ever(
    folder: Folder, open_page: OpenPage
) -> None:
    page = open_page("en-GB")
    page.clock.install()
    page.goto(folder.link())
    page.route("**/api/job?*", lambda route: route.fulfill(json={"state": "checking"}))
    for name, call in (("stuck.csv", "recipe"), ("next.csv", "job?*")):
        drop(page, name, "id,text\n1,x\n")
        choose(page, "Own prompt")
        page.get_by_role("textbox", name="Prompt").fill(f"{name} {{{{ id }}}}")
        with page.expect_response(f"**/api/{call}"):
            start(page)
    following = page.get_by_role("listitem").filter(has_text="next.csv")
    expect(following).to_contain_text("Queued")

    alert = following.get_by_role("alert")

    def is_given_up() -> bool:
        page.clock.fast_forward(60_000)  # no call may last for ten such minutes
        return alert.is_visible()

    wait_until(is_given_up, "it waits on", every_s=0.1)

    expect(alert).to_contain_text("stuck.csv has not been checked for a long time")
    expect(following.get_by_role("button", name="Upload again")).to_be_visible()


def test_nothing_in_a_file_becomes_markup(folder: Folder, open_page: OpenPage) -> None:
    page = open_page("zh-CN")
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    page.goto(folder.link())

    name = f"{WRONG.replace('/', '')}.csv"
    drop(
        page,
        name,
        f"评论,<script>alert(2)</script>\n<iframe srcdoc='<script>alert(3)</script>'>{WRONG[:2]},<b>\n",
    )
    choose(page, "自己写提示词")
    page.get_by_role("textbox", name="提示词").fill("[[say]]{{ 评论 }}<svg onload=alert(4)>")
    expect(page.locator(".asked-prompt")).to_contain_text("<iframe srcdoc=")
    expect(page.get_by_role("region", name="表格的前几行")).to_contain_text("<script>alert(2)</script>")
    start(page)
    job = page.get_by_role("listitem").filter(has_text="已完成")
    job.get_by_role("button", name="看前几行").click()

    expect(job.get_by_role("region", name="结果的前几行")).to_contain_text("<svg onload=alert(4)>")
    expect(job).to_contain_text(name)
    assert page.locator("main").locator("img, iframe, script, b, [onload], [srcdoc]").count() == 0


def test_a_link_that_is_over_or_withdrawn_opens_nothing(folder: Folder, open_page: OpenPage) -> None:
    folder.put("t.jsonl", "{}\n")
    late, page = open_page("en-GB"), open_page("zh-CN")
    withdrawn = "1" * 16
    page.goto(folder.link(link_id=withdrawn))
    expect(page.get_by_role("button", name="t.jsonl")).to_be_visible()

    late.goto(folder.link(lasts=-HOUR))
    store_of(folder.cloud).put(withdrawn_key(withdrawn), b"")

    expect(late.get_by_role("alert")).to_contain_text("This link does not open")
    expect(page.get_by_role("alert")).to_contain_text("打不开这个链接")
    expect(page.get_by_role("button", name="t.jsonl")).to_have_count(0)
    assert late.locator("#files").count() == 0


def test_an_operator_sees_what_waits_for_whom(folder: Folder, open_page: OpenPage) -> None:
    assert folder.cloud.bailian is not None
    no_money = CallFault(route="batches.create", status=400, code="Arrearage", times=100)
    folder.cloud.bailian.faults.add(no_money)
    folder.put("batch.yaml", SAY)
    folder.put("waits.csv", "编号,评论\n1,好\n")
    page = open_page("en-GB")

    page.goto(folder.link(operator=True))

    alarm = page.get_by_role("region", name="Needs your attention")
    expect(alarm).to_contain_text("waits.csv")
    job = page.get_by_role("listitem").filter(has_text="waits.csv")
    expect(job).to_contain_text("Waiting")
    job.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel the job").click()
    expect(job).to_contain_text("Cancelled")
