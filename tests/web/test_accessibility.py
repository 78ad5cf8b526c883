"""axe-core (WCAG 2.2 AA) in a real Chromium: every page on a phone in light, the busy ones wide in dark; what is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, Page, Response

from registry.database import transaction
from registry.publishing import standing
from tests.web.looking import PAGES
from tests.web.served import serving
from tests.web.test_contesting import answered, opted_out
from tests.web.test_operator import code, tell, waiting_claim
from tests.web.world import World

pytestmark = pytest.mark.browser
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
BUSY = ("/search?q=Eve", "/datasets/lab/faces", "/makers/MAKER", "/opt-out-a-link", "/transparency")


@pytest.fixture(scope="session")
def phone(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(
        viewport={"width": 375, "height": 740}, color_scheme="light", bypass_csp=True
    )
    yield context
    context.close()


@pytest.fixture(scope="session")
def desk(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, color_scheme="dark", bypass_csp=True
    )
    yield context
    context.close()


@pytest.fixture(scope="session")
def url(seen: World) -> Iterator[str]:
    with serving(seen.client.application) as address:
        yield address


def found_wrong(page: Page) -> list[tuple[str, list[str]]]:
    """Each violated rule with where."""
    told: dict[str, Any] = Axe().run(page, options=RULES).response
    return [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in told["violations"]]


def test_axe_sees_what_is_wrong(phone: BrowserContext) -> None:
    page = phone.new_page()
    page.set_content("<html lang=en><title>x</title><main><h1>x</h1><input><img src=x></main>")
    assert {rule for rule, _ in found_wrong(page)} >= {"label", "image-alt"}
    page.close()


@pytest.mark.parametrize("address", PAGES)
def test_nobody_is_shut_out_on_a_phone(phone: BrowserContext, url: str, seen: World, address: str) -> None:
    page = phone.new_page()
    page.goto(url + address.replace("MAKER", seen.maker("Eve")))
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    assert found_wrong(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    page.close()


@pytest.mark.parametrize("address", BUSY)
def test_nobody_is_shut_out_in_the_dark(desk: BrowserContext, url: str, seen: World, address: str) -> None:
    page = desk.new_page()
    page.goto(url + address.replace("MAKER", seen.maker("Eve")))
    assert found_wrong(page) == []
    page.close()


def test_what_is_printed_from_a_dark_screen_is_dark_on_white(desk: BrowserContext, url: str) -> None:
    page = desk.new_page()
    page.goto(f"{url}/datasets/lab/faces/1.0.0")
    page.emulate_media(media="print")
    assert [rule for rule, _ in found_wrong(page) if rule == "color-contrast"] == []
    page.close()


def test_the_pages_of_one_person_too(world: World, phone: BrowserContext) -> None:
    with serving(world.client.application) as address:
        page = phone.new_page()
        page.goto(f"{address}/nowhere")
        assert found_wrong(page) == []
        page.goto(f"{address}/this-is-me")
        page.get_by_label("Who are you").fill("flickr:70000001@N01")
        page.get_by_label("Your mail address").fill("me@example.org")
        page.get_by_role("button", name="Go on").click()
        assert found_wrong(page) == []
        page.goto(f"{address}/status")
        assert found_wrong(page) == []
        page.close()


def test_a_status_with_answers_too(world: World, browser: Browser) -> None:
    opted_out(world)
    answered(world, "exempt", "we are a museum")
    kept = world.client.get_cookie("byline")
    assert kept is not None
    with serving(world.client.application) as address:
        context = browser.new_context(viewport={"width": 375, "height": 740}, bypass_csp=True)
        context.add_cookies([{"name": "byline", "value": kept.value, "url": address}])
        page = context.new_page()
        page.goto(f"{address}/status")
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
        assert page.get_by_label("What is not right about it?").count() >= 2
        assert found_wrong(page) == []
        assert not page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        context.close()


def test_the_operators_pages_too(world: World, phone: BrowserContext) -> None:
    claim = waiting_claim(world)
    tell(world, "dataset:lab/faces")
    with transaction(world.runtime.sessions) as session:
        standing.suspend(session, slug="lab", who="t", why="t", now=world.runtime.clock())
    with serving(world.client.application) as address:
        page = phone.new_page()
        page.goto(f"{address}/operator")
        page.get_by_label("The code").fill(code(world))
        page.get_by_role("button", name="Sign in").click()
        for path in ("/operator", f"/operator/claims/{claim}", "/operator/trail"):
            page.goto(address + path)
            assert found_wrong(page) == [], path
            assert not page.evaluate(
                "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            )
        page.close()


def test_the_first_load_is_small_and_from_here_alone(browser: Browser, url: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    loaded: list[Response] = []
    page.on("response", lambda response: loaded.append(response))  # noqa: PLW0108 - it sets a name on what it is given
    page.goto(url, wait_until="networkidle")
    sizes = {response.url.removeprefix(url): len(response.body()) for response in loaded}
    print(f"first load: {sum(sizes.values()):,} bytes in {len(sizes)} files: {sizes}")  # noqa: T201 - a figure to be read
    assert all(response.url.startswith(url) for response in loaded)
    assert sum(sizes.values()) <= 150_000
    context.close()


def test_suggestions_come_while_typing_and_the_policy_is_kept(browser: Browser, url: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(url)
    page.get_by_label("Your name").press_sequentially("Wolf")
    page.wait_for_selector("#suggested option", state="attached")
    offered = page.locator("#suggested option").evaluate_all("all => all.map(one => one.value)")
    assert any(name.startswith("Wolfeschlegel") for name in offered)
    assert said == []
    context.close()


def test_a_line_is_copied_by_its_button(browser: Browser, url: str) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{url}/transparency")
    page.get_by_role("button", name="Copy the key").click()
    page.get_by_text("Copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").startswith("localhost")
    context.close()
