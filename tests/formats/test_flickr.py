from __future__ import annotations

import pytest

from byline.formats.platforms import Shown, shown
from byline.formats.platforms.flickr import BASE58, base58
from byline.formats.urls import canonical_url

PHOTO = "flickr:51234567890"
NUMBER = "flickr:12345678@N00"
FILES = [
    "https://live.staticflickr.com/65535/51234567890_abcdef0123_b.jpg",
    "https://live.staticflickr.com/65535/51234567890_abcdef0123.jpg",
    "https://live.staticflickr.com/65535/51234567890_abcdef0123_3k.jpg",
    "https://live.staticflickr.com/65535/51234567890_abcdef0123_o_d.png",
    "https://live.staticflickr.com/65535/51234567890_abcdef0123_d.jpg",
    "live.staticflickr.com/65535//51234567890_abcdef0123_m.jpg",
    "http://farm7.staticflickr.com/6116/51234567890_abcdef0123_z.jpg",
    "http://farm66.static.flickr.com/65535/51234567890_abcdef0123_o.gif",
    "http://static.flickr.com/63/51234567890_abcdef0123_t.jpg",
    "http://c2.staticflickr.com/66/65535/51234567890_abcdef0123_z.jpg?zz=1",
    "//c8.staticflickr.com/6/5159/51234567890_abcdef0123_k.jpg",
    "http://photos12.flickr.com/51234567890_abcdef0123_b.jpg",
    "http://photos23.flickr.com/44/51234567890_abcdef0123.jpg",
    "https://live.staticflickr.com/video/51234567890/abcdef0123/1080p.mp4?s=eyJ",
    "http://photos.flickr.com/51234567890_abcdef0123_m.jpg",
    "http://farm7.static.flickr.com/6116/51234567890_abcdef0123_z.jpg%20",
    "https://live.staticflickr.com/65535/51234567890_abcdef0123_b.jpg)",
]
PAGES_WITH_NUMBER = [
    "https://www.flickr.com/photos/12345678@N00/51234567890",
    "https://www.flickr.com/photos/12345678@N00/51234567890/",
    "http://flickr.com/photos/12345678%40N00/51234567890/in/photostream/",
    "www.flickr.com/photos/12345678@n00/51234567890/in/pool-22@N01/lightbox",
    "https://m.flickr.com/photos/12345678@N00/51234567890?reg=1",
    "https://secure.flickr.com/photos/12345678@N00//51234567890/sizes/o/",
    "http://www.flickr.com//photos//12345678@N00//51234567890",
    "https://www.flickr.com/photo/12345678@N00/51234567890",
    "https://www.flickr.com/x/t/0098009/photos/12345678@N00/51234567890/",
    "https://www.flickr.com/photos/12345678@N00/51234567890/%22%3Ephoto",
    "https://www.flickr.com/photos/12345678@N00/51234567890)",
]
PAGES_ALONE = [
    "https://www.flickr.com/photo.gne?id=51234567890",
    "http://flickr.com/photo_zoom.gne?id=51234567890&size=o",
    "https://www.flickr.com/photo_exif.gne?context=x&id=51234567890",
    "https://www.flickr.com/video_download.gne?id=51234567890",
    "https://embedr.flickr.com/photos/51234567890",
]
MAKERS = {
    "https://www.flickr.com/photos/12345678@N00": NUMBER,
    "http://www.flickr.com/photos/12345678%40N00/": NUMBER,
    "flickr.com/people/12345678@N00/": NUMBER,
    "https://www.flickr.com/photos/12345678@N00/sets/72157600000000000/": NUMBER,
    "https://www.flickr.com/gp/12345678@N00/nSN80jZ64E": NUMBER,
    "https://www.flickr.com/photos/Some-Body/": "flickr:some-body",
    "https://www.flickr.com/people/some_body": "flickr:some_body",
    "https://www.flickr.com/photos/somebody/albums": "flickr:somebody",
    "https://www.flickr.com/photos/somebody/page3": "flickr:somebody",
    "https://www.flickr.com/photos/somebody/?saved=1": "flickr:somebody",
}
NOTHING = [
    "https://www.flickr.com/",
    "https://www.flickr.com/photos/tags/51234567890",
    "https://www.flickr.com/photos/Organize/51234567890",
    "https://www.flickr.com/search/?text=somebody",
    "https://www.flickr.com/groups/1234@N20/",
    "https://www.flickr.com/explore",
    "https://www.flickr.com/photos/somebody/favorites",
    "https://www.flickr.com/photos/somebody/galleries/72157600000000000",
    "https://www.flickr.com/people/somebody/photosof",
    "https://www.flickr.com/photos/51234567890",
    "https://www.flickr.com/photos/somebody/72157626164453131",
    "https://www.flickr.com/photos/somebody/051234567890",
    "https://www.flickr.com/photos/somebody/51234567890abc",
    "https://live.staticflickr.com/65535/051234567890_abcdef0123_b.jpg",
    "https://live.staticflickr.com/65535/51234567890_ABCDEF_b.jpg",
    "https://live.staticflickr.com/65535/buddyicons/12345678@N00.jpg",
    "https://evil.org/live.staticflickr.com/65535/51234567890_abcdef0123_b.jpg",
    "https://live.staticflickr.com.evil.org/65535/51234567890_abcdef0123_b.jpg",
    "https://notflickr.com/photos/somebody/51234567890",
    "https://flic.kr/s/aHsjybZ5ZD",
    "https://flic.kr/ps/ZVcni",
    "https://flic.kr/p/0OIl",
    "https://flic.kr/p/zzzzzzzz",
]


def what(text: str) -> Shown:
    return shown(canonical_url(text) or "") or Shown()


@pytest.mark.parametrize("url", FILES)
def test_every_file_host_and_size_is_one_photo(url: str) -> None:
    assert what(url).photo == PHOTO


@pytest.mark.parametrize("url", FILES)
def test_every_file_carries_its_id_and_secret(url: str) -> None:
    assert what(url).static == "51234567890_abcdef0123"


@pytest.mark.parametrize("url", FILES)
def test_no_file_names_its_maker(url: str) -> None:
    assert what(url).maker is None


@pytest.mark.parametrize("url", PAGES_WITH_NUMBER)
def test_every_form_of_a_page_is_the_photo_and_its_maker(url: str) -> None:
    assert (what(url).photo, what(url).maker) == (PHOTO, NUMBER)


@pytest.mark.parametrize("url", PAGES_ALONE)
def test_pages_without_a_maker_are_the_photo(url: str) -> None:
    assert what(url) == Shown(photo=PHOTO)


@pytest.mark.parametrize(("url", "maker"), MAKERS.items())
def test_a_makers_own_pages_show_the_maker_and_no_photo(url: str, maker: str) -> None:
    assert what(url) == Shown(maker=maker)


@pytest.mark.parametrize("url", NOTHING)
def test_nothing_else_becomes_a_photo_or_a_maker(url: str) -> None:
    assert what(url) == Shown()


@pytest.mark.parametrize("number", [58, 155697786, 51234567890, 999999999999])
def test_short_links_are_the_photo_in_base_58(number: int) -> None:
    digits, rest = "", number
    while rest:
        rest, digit = divmod(rest, 58)
        digits = BASE58[digit] + digits
    assert base58(digits) == str(number)
    assert what(f"https://flic.kr/p/{digits}").photo == f"flickr:{number}"
    assert what(f"https://www.flickr.com/photo.gne?short={digits}").photo == f"flickr:{number}"
