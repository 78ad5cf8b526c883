"""The guard against a hostile server: real sockets on loopback, a resolver that lies."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from byline.errors import BylineError, Refused, Unavailable
from registry.egress import Egress, Limits, is_public
from tests.registry.egress.certificates import authority_and_server
from tests.registry.egress.hostile import FakeNames, Listener, endless, listening, moved, page, trickling

SITE = "photos.example"


@pytest.fixture
def site() -> Iterator[Listener]:
    """The page that may be asked."""
    with listening() as here:
        yield here


@pytest.fixture
def inside() -> Iterator[Listener]:
    """What must never be reached: another address of this machine, with the same port open."""
    with listening("127.0.0.2") as here:
        here.replies["/"] = page(b"secret")
        yield here


def egress(site: Listener, names: FakeNames | None = None, **limits: float) -> Egress:
    names = names or FakeNames(photos_example=[[site.address]])
    return Egress(names, also=[site.pair], limits=Limits(**limits))  # type: ignore[arg-type]


def anywhere(_: str) -> bool:
    return True


def code(ask: Egress, url: str) -> str:
    with pytest.raises(BylineError) as caught:
        ask.get(url, stays=anywhere)
    return caught.value.code


def test_a_page_is_fetched_by_name_from_the_pinned_address(site: Listener) -> None:
    site.replies["/people/?id=1"] = page(b"<p>hello")
    answer = egress(site).get(f"http://{SITE}:{site.port}/people/?id=1", stays=anywhere)
    assert (answer.status, answer.body) == (200, b"<p>hello")
    assert f"Host: {SITE}:{site.port}" in site.heard[0]
    assert "Accept-Encoding: identity" in site.heard[0]


def test_a_name_is_resolved_once_for_each_address_asked(site: Listener, inside: Listener) -> None:
    """DNS rebinding: the second answer leads inside, and nobody asks a second time."""
    names = FakeNames(photos_example=[[site.address], [inside.address]])
    site.replies["/"] = page(b"public")
    assert egress(site, names).get(f"http://{SITE}:{site.port}/", stays=anywhere).body == b"public"
    assert names.asked == [SITE]
    assert inside.heard == []


def test_a_redirect_to_the_same_name_that_leads_inside_by_now_is_refused(
    site: Listener, inside: Listener
) -> None:
    names = FakeNames(photos_example=[[site.address], [inside.address]])
    site.replies["/"] = moved(f"http://{SITE}:{site.port}/again")
    assert code(egress(site, names), f"http://{SITE}:{site.port}/") in {"address-not-public", "bad-address"}
    assert site.paths() == ["/"]
    assert inside.heard == []


def test_one_bad_address_among_good_ones_refuses_the_name(site: Listener) -> None:
    names = FakeNames(photos_example=[["93.184.216.34", "10.0.0.1"]])
    assert code(egress(site, names), f"https://{SITE}/") == "address-not-public"


def test_a_name_without_addresses_is_nobodys(site: Listener) -> None:
    names = FakeNames(photos_example=[[]])
    assert code(egress(site, names), f"https://{SITE}/") == "no-such-host"


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.2/", "http://127.0.0.2:{port}/", "http://localhost/", "http://[::1]/", "http://0/",
        "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:2]/", "http://[::127.0.0.2]/", "http://0x7f.0.0.2/",
        "http://2130706434/", "http://127.2/", "http://0177.0.0.2/", "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/", "http://[64:ff9b::7f00:2]/", "http://[2002:7f00:2::]/",
        "http://[2001:0:7f00:2::]/", "http://[fe80::1]/", "http://168.63.129.16/", "http://100.100.100.200/",
        "http://10.1.2.3/", "http://172.16.0.1/", "http://192.168.0.1/", "http://224.0.0.1/", "http://255.255.255.255/",
        "file:///etc/passwd", "gopher://photos.example/", "ftp://photos.example/", "http://user:pw@photos.example/",
        "//127.0.0.2/", "http://photos.example:22/", "https://photos.example:6379/", "http://①②⑦.0.0.2/",
    ],
)  # fmt: skip
def test_no_redirect_leads_inside(target: str, site: Listener, inside: Listener) -> None:
    names = FakeNames(photos_example=[[site.address]], localhost=[["127.0.0.1"]])
    site.replies["/"] = moved(target.format(port=inside.port))
    assert code(egress(site, names), f"http://{SITE}:{site.port}/") in {"address-not-public", "bad-address"}
    assert site.paths() == ["/"]
    assert inside.heard == []


def test_a_redirect_goes_only_where_it_may(site: Listener) -> None:
    site.replies |= {"/me": moved("/somebody-else"), "/somebody-else": page(b"line")}
    with pytest.raises(Refused) as caught:
        egress(site).get(f"http://{SITE}:{site.port}/me", stays=lambda url: url.endswith("/me"))
    assert caught.value.code == "moved-away"
    assert site.paths() == ["/me"]


def test_redirects_end(site: Listener) -> None:
    site.replies["/"] = moved("/")
    assert code(egress(site), f"http://{SITE}:{site.port}/") == "too-many-redirects"
    assert len(site.heard) == 4


def test_a_body_without_end_is_cut(site: Listener) -> None:
    site.replies["/"] = endless
    assert code(egress(site, bytes=300_000), f"http://{SITE}:{site.port}/") == "answer-too-large"


def test_a_trickle_ends_with_the_time(site: Listener) -> None:
    site.replies["/"] = trickling
    began = time.monotonic()
    assert code(egress(site, seconds=0.6), f"http://{SITE}:{site.port}/") in {"too-slow", "not-reached"}
    assert time.monotonic() - began < 5  # not the thirty seconds it would trickle on


def test_who_never_answers_is_given_up(site: Listener) -> None:
    site.replies["/"] = lambda _connection: time.sleep(3)
    with pytest.raises(Unavailable):
        egress(site, seconds=0.3).get(f"http://{SITE}:{site.port}/", stays=anywhere)


def test_nonsense_instead_of_http_is_no_crash(site: Listener) -> None:
    site.replies["/"] = b"\x00\xffSSH-2.0-OpenSSH\r\n\r\n"
    assert code(egress(site), f"http://{SITE}:{site.port}/") == "not-reached"


def test_headers_without_end_are_cut(site: Listener) -> None:
    site.replies["/"] = b"HTTP/1.1 200 OK\r\n" + b"X-Big: " + b"z" * 500_000 + b"\r\n\r\n"
    assert code(egress(site), f"http://{SITE}:{site.port}/") == "not-reached"


def test_a_post_follows_no_redirect(site: Listener) -> None:
    site.replies["/hook"] = moved("/elsewhere")
    answer = egress(site).post(f"http://{SITE}:{site.port}/hook", b"{}", headers={})
    assert answer.status == 302
    assert site.paths() == ["/hook"]


def test_the_certificate_must_be_the_names() -> None:
    client, server = authority_and_server(SITE)
    with listening(tls=server) as site:
        site.replies["/"] = page(b"encrypted")
        names = FakeNames(photos_example=[[site.address]], other_example=[[site.address]])
        ask = Egress(names, also=[site.pair], tls=client)
        assert ask.get(f"https://{SITE}:{site.port}/", stays=anywhere).body == b"encrypted"
        with pytest.raises(Unavailable):
            ask.get(f"https://other.example:{site.port}/", stays=anywhere)
        with pytest.raises(Unavailable):  # the authority is ours: nobody else trusts it
            Egress(names, also=[site.pair]).get(f"https://{SITE}:{site.port}/", stays=anywhere)


def test_a_stand_in_gets_every_request_with_its_host(site: Listener) -> None:
    site.replies["/people/1@N00/"] = page(b"demo")
    demo = Egress(FakeNames(), stand_in=f"http://127.0.0.1:{site.port}")
    assert demo.get("https://www.flickr.com/people/1@N00/", stays=anywhere).body == b"demo"
    assert "Host: www.flickr.com\r\n" in site.heard[0]


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001:82a::200e"]
)
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", ["", "localhost", "1.1.1", "fe80::1%eth0", "2a00::1%1", "1.1.1.1:80"])
def test_what_is_no_plain_address_is_not(address: str) -> None:
    assert not is_public(address)
