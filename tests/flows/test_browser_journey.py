"""A photographer in a real Chromium, knowing only a name, without script: from the box to their status."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from registry.demo.datasets import cast, write_all
from tests.flows.conftest import Registry

pytestmark = pytest.mark.browser
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def published(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """Two of the demo's datasets: one that names makers, one that names nobody."""
    for one in write_all(tmp_path_factory.mktemp("demo"))[:2]:
        registry.publish(one.ref, one.version, one.file, mapping=one.mapping, extra=one.options)
    return registry


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A phone without script, whose console must stay silent."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 375, "height": 740})
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    yield opened
    context.close()
    assert [text for text in said if "Content Security Policy" in text] == []


def test_a_photographer_who_knows_only_a_name_opts_out_everywhere(published: Registry, page: Page) -> None:
    person = cast()[5]
    page.goto(published.url)
    page.get_by_label("Your name").fill(person.name)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="This is me").first.click()
    page.get_by_label("Your mail address").fill("maker@example.org")
    page.get_by_role("button", name="Go on").click()
    claim = page.locator("#key").inner_text().partition(".")[0]
    published.admin("claim", "confirm", claim, "--by", "test", "--why", "the line is on the profile")
    page.get_by_role("link", name="My status").last.click()
    page.get_by_role("button", name="Opt out").click()
    for _ in range(60):
        if page.get_by_role("row").count() >= 3:  # a head and two datasets
            break
        page.wait_for_timeout(250)
        page.reload()
    shown = page.locator("main").inner_text()
    assert "Your opt-out is in force" in shown
    assert "lumen-labs/street-portraits" in shown
    assert "lumen-labs/faces-in-context" in shown


def test_no_page_is_wider_than_a_phone(published: Registry, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 375, "height": 740})
    opened = context.new_page()
    wide = []
    for path in (
        "/",
        "/search?q=Graeme",
        "/datasets",
        "/datasets/lumen-labs/street-portraits",
        "/this-is-me",
        "/opt-out-a-link",
        "/status/open",
    ):
        opened.goto(published.url + path)
        if opened.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wide.append(path)
    context.close()
    assert wide == []


def test_an_opt_out_by_link_waits_for_the_button_behind_the_mailed_link(
    published: Registry, page: Page
) -> None:
    person = cast()[7]
    page.goto(f"{published.url}/opt-out-a-link")
    page.get_by_label("Links, one a line").fill(
        f"https://www.flickr.com/photos/{person.nsid}/{person.photos[0]}"
    )
    page.get_by_label("Your mail address").fill("link@example.org")
    page.get_by_role("button", name="Send me the link").click()
    link = published.mailed_link("link@example.org")
    page.goto(link)
    assert "Confirm your opt-out" in page.locator("main").inner_text()
    page.get_by_role("button", name="Confirm").click()
    assert "in force" in page.locator("main").inner_text()
