"""Whatever a page leads to is there."""

from __future__ import annotations

from urllib.parse import urldefrag, urljoin

from tests.web.looking import PAGES, parse
from tests.web.world import World

ELSEWHERE = ("http", "mailto:")


def _links(page: str, address: str) -> set[str]:
    found = {
        node.attributes.get("href") or "" for node in parse(page).css("a[href], link[href], script[src]")
    }
    found |= {node.attributes.get("src") or "" for node in parse(page).css("script[src]")}
    inner = {
        urldefrag(urljoin(address, link))[0] for link in found if link and not link.startswith(ELSEWHERE)
    }
    return {link for link in inner if link}


def test_every_link_of_every_page_leads_somewhere(seen: World) -> None:
    maker = seen.maker("Eve")
    waiting = {address.replace("MAKER", maker) for address in PAGES}
    done: dict[str, int] = {}
    while waiting - done.keys():
        address = min(waiting - done.keys())
        with seen.client.get(address, headers={"Accept": "text/html"}) as answer:
            done[address] = answer.status_code
            if answer.content_type.startswith("text/html") and len(done) < 300:
                waiting |= _links(answer.get_data(as_text=True), address)
    assert {address: status for address, status in done.items() if status >= 400} == {}
    assert len(done) > len(PAGES)


def test_no_address_on_any_page_carries_a_secret(world: World) -> None:
    shown = world.send("/this-is-me", form="/this-is-me", identity="flickr:70000001@N01", email="").text
    token = parse(shown).css_first("#key").text().strip().partition(".")[2]  # type: ignore[union-attr]
    assert len(token) > 20
    for page in (shown, world.page("/status")):
        assert not [link for link in _links(page, "/status") if token in link]
