"""What holds for each page, with hostile names on it."""

from __future__ import annotations

import pytest

from tests.web.looking import OF_PEOPLE, PAGES, all_nodes, parse
from tests.web.world import World

pytestmark = pytest.mark.parametrize("address", PAGES)


@pytest.fixture(scope="session")
def maker(seen: World) -> str:
    return seen.maker("Eve")


@pytest.fixture
def page(seen: World, maker: str, address: str) -> str:
    return seen.page(address.replace("MAKER", maker))


def test_nothing_a_publisher_wrote_becomes_markup(page: str) -> None:
    found = {node.tag for node in all_nodes(page)}
    assert found.isdisjoint({"img", "iframe", "object", "embed", "base", "style"})
    assert "alert(" not in "".join(node.html or "" for node in parse(page).css("script:not([type])"))
    assert "49" not in "".join(node.text() for node in parse(page).css("h1, h2"))  # {{ 7*7 }}


def test_no_script_but_the_one_file_and_no_style_but_the_other(page: str) -> None:
    for script in parse(page).css("script"):
        if script.attributes.get("type") != "application/ld+json":
            assert script.attributes.get("src") == "/static/web/byline.js"
            assert not script.text().strip()
    for node in all_nodes(page):
        assert [name for name in node.attributes if name.startswith("on") or name == "style"] == []


def test_headers_forbid_the_rest(seen: World, maker: str, address: str) -> None:
    headers = seen.client.get(address.replace("MAKER", maker)).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_nothing_comes_from_elsewhere(page: str) -> None:
    for node in parse(page).css("[src], link[href]"):
        where = node.attributes.get("src") or node.attributes.get("href") or ""
        assert where.startswith("/") or node.attributes.get("rel") == "canonical", where


def test_pages_of_people_are_kept_out_of_search_engines(page: str, address: str) -> None:
    robots = parse(page).css_first('meta[name="robots"]')
    of_people = address.startswith(OF_PEOPLE) or address.endswith("/1.0.0")
    assert (robots is not None and "noindex" in (robots.attributes["content"] or "")) is of_people


def test_each_form_that_changes_something_carries_its_token(page: str) -> None:
    for form in parse(page).css('form[method="post"]'):
        assert form.css_first('input[name="csrf_token"]') is not None


def test_each_page_has_one_heading_a_title_and_says_its_language(page: str) -> None:
    tree = parse(page)
    assert len(tree.css("h1")) == 1
    title = tree.css_first("title")
    assert title is not None
    assert title.text().endswith(" · Byline")
    assert parse(page).css_first("html").attributes["lang"] == "en"  # type: ignore[union-attr]


def test_names_keep_their_direction_to_themselves(page: str) -> None:
    for heading in parse(page).css("article h2"):
        assert heading.css_first("bdi") is not None


def test_the_markup_is_small(page: str) -> None:
    assert len(page.encode()) < 60_000
