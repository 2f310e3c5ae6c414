"""A real Chromium for the tests of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from scripts.localcloud.fc.workers.fork_server import SHARED
from tests.support.waiting import PATIENCE_S

CHROMIUM = Path("/usr/bin/chromium")  # of Debian's package, which .ci/run installs
STATIC = Path(__file__).resolve().parents[2] / "functions" / "page" / "static"
PATIENCE_MS = PATIENCE_S * 1000
OpenPage = Callable[..., Page]


@pytest.fixture(scope="session", autouse=True)
def _forks() -> Iterator[None]:
    """The functions of all clouds come from one process, which loads their modules once."""
    with SHARED.borrowed():
        yield


# By the module: while it is open, no other event loop can run in the process.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"no {CHROMIUM}: install Debian's package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, timeout=PATIENCE_MS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Open an empty page of a language and a width. None may throw, or break its policy."""
    opened: list[Page] = []
    complaints: list[str] = []

    def open_one(language: str = "zh-CN", width: int = 1280) -> Page:
        page = browser.new_page(locale=language, viewport={"width": width, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Policy" in said.text else None)
        opened.append(page)
        return page

    yield open_one
    for page in opened:
        page.close()
    assert complaints == []
