"""Where a line may stand: made from the identity alone; which redirects still show the same."""

from __future__ import annotations

import time

import pytest

from byline.errors import Refused
from byline.formats.platforms import BY_NAME
from registry.contributors.looking import head_of
from registry.contributors.places import OWNERS_WRITE, Place, line_in, places_of, stays

LINE = "byline-proof=" + "0123456789abcdef" * 2


def only(identity: str, photo: str | None = None) -> Place:
    [place] = places_of(identity, photo=photo)
    return place


def test_a_profiles_address_is_made_from_the_identity() -> None:
    assert only("flickr:12345@N00").address == "https://www.flickr.com/people/12345@N00/"
    assert only("unsplash:@jane").address == "https://unsplash.com/@jane"


def test_every_platform_of_the_table_has_a_profile() -> None:
    assert all(BY_NAME[name].profile for name in OWNERS_WRITE)


def test_a_host_has_two_places() -> None:
    dns, file = places_of("host:example.org")
    assert (dns.address, file.address) == (
        "_byline.example.org",
        "https://example.org/.well-known/byline.txt",
    )


@pytest.mark.parametrize(
    "identity", ["commons:Jane", "name:a/b:Jane Doe", "id:a/b:17", "instagram:@jane", "reddit:@jane"]
)
def test_where_others_write_or_nobody_can_look_there_is_no_place(identity: str) -> None:
    assert places_of(identity) == ()


def test_a_photo_stands_under_its_maker() -> None:
    place = only("flickr:12345@N00", photo="3072908271")
    assert place.address == "https://www.flickr.com/photos/12345@N00/3072908271/"


@pytest.mark.parametrize("photo", ["../../evil", "1/../2", "", "https://evil.example/", "1?x=1", "x" * 41])
def test_a_photo_is_an_id_and_no_address(photo: str) -> None:
    with pytest.raises(Refused):
        places_of("flickr:12345@N00", photo=photo)


FLICKR = only("flickr:12345@N00")
PHOTO = only("flickr:12345@N00", photo="3072908271")


@pytest.mark.parametrize(
    ("place", "url", "same"),
    [
        (FLICKR, "https://www.flickr.com/people/jane_doe/", True),  # the platform's word for the same
        (FLICKR, "https://flickr.com/people/12345@N00", True),
        (FLICKR, "https://www.flickr.com/photos/tags/cat/", False),
        (FLICKR, "https://www.flickr.com/signin/", False),
        (FLICKR, "https://www.flickr.com/photos/jane/3072908271/", False),
        (FLICKR, "https://evil.example/people/12345@N00/", False),
        (FLICKR, "https://www.flickr.com.evil.example/people/jane/", False),
        (FLICKR, "http://www.flickr.com/people/jane/", False),
        (PHOTO, "https://www.flickr.com/photos/jane_doe/3072908271/", True),
        (PHOTO, "https://www.flickr.com/photos/jane_doe/3072908272/", False),
        (PHOTO, "https://www.flickr.com/people/jane_doe/", False),
    ],
)
def test_a_redirect_on_a_platform_must_still_show_a_maker(place: Place, url: str, *, same: bool) -> None:
    assert stays("flickr:12345@N00", place, url) is same


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://www.example.org/.well-known/byline.txt", True),
        ("https://example.org/.well-known/byline.txt", True),
        ("https://cdn.example.org/.well-known/byline.txt", False),
        ("https://www.example.org/comments.txt", False),
        ("http://www.example.org/.well-known/byline.txt", False),
    ],
)
def test_a_hosts_file_may_move_to_its_www(url: str, *, same: bool) -> None:
    assert stays("host:example.org", places_of("host:example.org")[1], url) is same


@pytest.mark.parametrize(
    ("text", "there"),
    [
        (LINE, True), (f"Photos. {LINE}, since 2009", True), (f"x{LINE}", False), (f"{LINE}0", False),
        (LINE.upper(), False), ("byline-proof=", False), (f"({LINE})", True), (f"{LINE}\n", True),
    ],
)  # fmt: skip
def test_the_line_stands_whole(text: str, *, there: bool) -> None:
    assert line_in([text], LINE) is there


def test_only_the_head_is_read() -> None:
    page = f"""<!doctype html><html><head><title>Jane <meta name="description" content="title {LINE}"></title>
    <META NAME="Description" CONTENT="about &amp; {LINE}"><link rel="nofollow ME" href=" https://r.example/proof/1 ">
    <meta property="og:description" content="og"></head><body><p>{LINE}<link rel=me href="https://evil.example/">
    <meta name="description" content="a comment"></body></html>"""
    texts, links = head_of(page.encode())
    assert texts == (f"about & {LINE}", "og")
    assert links == ("https://r.example/proof/1",)


def test_a_page_without_head_has_nothing() -> None:
    body = f'<p>hello <meta name="description" content="{LINE}"><link rel="me" href="https://r.example/">'
    assert head_of(body.encode()) == ((), ())


@pytest.mark.parametrize(
    "page",
    [
        b"<div>" * 200_000, b"<!--" * 250_000, b"<a b='" * 170_000, b"<noscript>" * 100_000, b"<title>" * 140_000,
        b"<meta name=description content=x>" * 30_000, b"\x00" * 1_000_000, b"<" * 1_000_000, b"", b"\xff\xfe<",
    ],
)  # fmt: skip
def test_a_page_that_means_harm_is_read_at_once(page: bytes) -> None:
    began = time.process_time()
    head_of(page)
    assert time.process_time() - began < 20  # another parser took 492 s over the first
