"""A photographer in a real Chromium, knowing only a name, without script: from the box to their status."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from registry.demo.datasets import cast, write_all
from tests.flows import platform as platforms
from tests.flows.conftest import Registry
from tests.flows.keyboard import Keyboard
from tests.flows.platform import Platform

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """Where the makers' profiles are."""
    with platforms.running() as made:
        yield made


@pytest.fixture(scope="module")
def registry(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that sees the platform as the web."""
    made = Registry(tmp_path_factory.mktemp("registry"), settings={"BYLINE_STAND_IN_WEB": platform.url})
    made.start()
    yield made
    made.stop()


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
    _press(page, "button", "Search")
    _press(page, "link", "This is me")
    page.get_by_label("Your mail address").fill("maker@example.org")
    _press(page, "button", "Go on")
    claim = page.locator("#key").inner_text().partition(".")[0]
    published.admin("claim", "confirm", claim, "--by", "test", "--why", "the line is on the profile")
    _press(page, "link", "your status page")
    _press(page, "button", "Opt out")
    _until(page, lambda: page.get_by_role("row").count() >= 3)  # a head and two datasets
    shown = page.locator("main").inner_text()
    assert "Your opt-out is in force" in shown
    assert "lumen-labs/street-portraits" in shown
    assert "lumen-labs/faces-in-context" in shown


def test_by_keyboard_alone_in_at_most_six_pages(published: Registry, platform: Platform, page: Page) -> None:
    person, hand = cast()[6], Keyboard(page)
    page.goto(published.url)
    hand.pages += 1
    hand.go_to("Your name")
    hand.type(person.name)
    hand.enter()
    hand.go_to("This is me")
    hand.enter()
    hand.go_to("Your mail address")
    hand.type("keys@example.org")
    hand.enter()
    _put_up(page, platform)
    hand.go_to("Look now")
    hand.enter()
    _until(page, lambda: page.get_by_text("Confirmed.").count() > 0)
    hand.go_to("Opt out", kind="BUTTON")
    hand.enter()
    _until(page, lambda: page.get_by_role("row").count() >= 3)
    assert "Your opt-out is in force" in page.locator("main").inner_text()
    print(f"{hand.pages} pages, {hand.fields} fields, {hand.keys} keys, 0 clicks")  # noqa: T201 - figures to be read
    assert hand.pages <= 6
    assert hand.fields == 2
    assert {host for host, path in platform.visits if person.nsid in path} >= {"www.flickr.com"}


def test_a_check_says_what_it_saw(published: Registry, page: Page) -> None:
    page.goto(f"{published.url}/this-is-me")
    page.get_by_label("Who are you").fill(f"flickr:{cast()[8].nsid}")
    page.get_by_label("Your mail address").fill("saw@example.org")
    _press(page, "button", "Go on")
    _press(page, "button", "Look now")
    _until(page, lambda: page.get_by_text("The line is not there yet").count() > 0)
    assert "saw: “description: I take pictures.”" in page.locator("main").inner_text()


def _put_up(page: Page, platform: Platform) -> None:
    """The owner writes the line into the profile that the page names, on the platform itself."""
    line = page.locator("[data-copy='the line']").inner_text()
    link = page.get_by_role("link", name="https://www.flickr.com/").get_attribute("href") or ""
    theirs = page.context.new_page()
    theirs.goto(link.replace("https://www.flickr.com", platform.url))
    theirs.get_by_label("About me").fill(f"I take pictures. {line}")
    _press(theirs, "button", "Save")
    theirs.close()


def _press(page: Page, role: Literal["button", "link"], name: str) -> None:
    """Press what leads to another page, and be there: a page left before then may never have sent its form."""
    with page.expect_navigation():
        page.get_by_role(role, name=name).first.click()


def _until(page: Page, seen: Callable[[], bool]) -> None:
    """Load the page again until it shows something."""
    for _ in range(240):
        if seen():
            return
        page.wait_for_timeout(250)
        page.reload()
    raise AssertionError(page.locator("main").inner_text())


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
    _press(page, "button", "Send me the link")
    link = published.mailed_link("link@example.org")
    page.goto(link)
    assert "Confirm your opt-out" in page.locator("main").inner_text()
    _press(page, "button", "Confirm")
    assert "in force" in page.locator("main").inner_text()
