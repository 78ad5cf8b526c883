from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from byline.formats.platforms import ALL, BY_NAME, Platform, Rule, Shown, platform_of, shown
from byline.formats.urls import canonical_url

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "selectors.json").read_text())
RULES = [(platform.name, rule) for platform in ALL for rule in platform.rules]

SAME_PHOTO = {
    "unsplash:yC-Yzbqy7PY": """
        https://unsplash.com/photos/yC-Yzbqy7PY https://unsplash.com/photos/a-man-at-sea-yC-Yzbqy7PY?x=1
        https://unsplash.com/fr/photos/un-homme-yC-Yzbqy7PY https://unsplash.com/zh-CN/照片/yC-Yzbqy7PY
        https://unsplash.com/pl/zdj%C4%99cia/x-yC-Yzbqy7PY https://unsplash.com/illustrations/x-yC-Yzbqy7PY https://unsplash.com/de/fotos/ein-mann-yC-Yzbqy7PY
        https://unsplash.com/photos/yC-Yzbqy7PY/download?force=true https://source.unsplash.com/yC-Yzbqy7PY/800x600""",
    "commons:Dämmerung (Hafen).JPG": """
        https://commons.wikimedia.org/wiki/File:Dämmerung_(Hafen).JPG
        https://commons.wikimedia.org/wiki/File:d%C3%A4mmerung_%28Hafen%29.JPG?uselang=de
        https://commons.m.wikimedia.org/wiki/Image:Da%CC%88mmerung__(Hafen).JPG
        https://commons.wikimedia.org/w/index.php?title=File:D%C3%A4mmerung+(Hafen).JPG&oldid=5
        https://commons.wikimedia.org/wiki/Special:FilePath/Dämmerung%20(Hafen).JPG?width=200
        https://commons.wikimedia.org/wiki/Special:Redirect/file/Dämmerung%20(Hafen).JPG
        https://upload.wikimedia.org/wikipedia/commons/9/9c/D%C3%A4mmerung_%28Hafen%29.JPG
        https://upload.wikimedia.org/wikipedia/commons/thumb/9/9c/D%C3%A4mmerung_%28Hafen%29.JPG/640px-x.jpg
        https://upload.wikimedia.org/wikipedia/commons/archive/9/9c/20120101000000!D%C3%A4mmerung_(Hafen).JPG""",
    "commons:Sturm & Drang.jpg": """
        https://commons.wikimedia.org/wiki/File:Sturm_%26_Drang.jpg https://commons.wikimedia.org/wiki/File:Sturm_&_Drang.jpg
        https://upload.wikimedia.org/wikipedia/commons/9/9c/Sturm_&_Drang.jpg
        https://upload.wikimedia.org/wikipedia/commons/thumb/9/9c/Sturm_&_Drang.jpg/120px-x.jpg
        https://upload.wikimedia.org/wikipedia/commons/thumb/archive/9/9c/20120101000000!Sturm_%26_Drang.jpg/120px-x.jpg
        https://commons.wikimedia.org/w/index.php?title=Special:FilePath&file=Sturm_%26_Drang.jpg
        https://commons.wikimedia.org/wiki/Special:Redirect/file?wptype=file&wpvalue=Sturm+%26+Drang.jpg""",
    "deviantart:484904667": """
        https://www.deviantart.com/jane/art/Dawn-484904667 http://jane.deviantart.com/art/Dawn-484904667
        https://www.deviantart.com/deviation/484904667 http://fav.me/d80p6u3
        https://orig00.deviantart.net/8b30/f/2014/270/4/6/dawn_by_jane-d80p6u3.gif
        https://images-wixmp-ed30a86b8c4ca887773594c2.wixmp.com/f/3e32bad9-c7f1-43ea-9200-064bd9a547cd/d80p6u3-eb98.jpg?t=1""",
    "500px:193728967": """
        https://500px.com/photo/193728967 https://500px.com//photo/193728967/dawn-by-jane
        https://drscdn.500px.org/photo/193728967/m%3D1080_k%3D1_a%3D1/28edae140f35dfe4b9db15b3b8134799
        https://pcdn.500px.net/193728967/28edae140f35dfe4b9db15b3b8134799/4.jpg""",
    "geograph:1680433": """
        http://www.geograph.org.uk/photo/1680433 https://www.geograph.ie/photo/1680433
        http://www.geograph.org.uk/view.php?id=1680433 https://m.geograph.org.uk/photo/1680433
        http://s0.geograph.org.uk/geophotos/01/68/04/1680433_efec36e1.jpg
        https://www.geograph.org.uk/geophotos/01/68/04/1680433_efec36e1_original.jpg""",
    "behance:486645": """
        https://www.behance.net/gallery/486645/Garage https://behance.net/gallery/486645
        https://www.behance.net/embed/project/486645?ilo0=1 https://be.net/gallery/486645/Garage
        http://www.behance.net/gallery/Garage/486645 https://m2.behance.net/rendition/pm/486645/disp/8df32046.jpg""",
    "inaturalist:12345": """
        https://www.inaturalist.org/photos/12345 https://www.argentinat.org/photos/12345 https://inaturalist.laji.fi/photos/12345
        https://static.inaturalist.org/photos/12345/large.jpg?1545406212
        https://inaturalist-open-data.s3.amazonaws.com/photos/12345/original.jpeg""",
    "pixabay:1234567": """
        https://pixabay.com/photos/dawn-harbour-sea-1234567/ https://pixabay.com/en/photos/dawn-1234567/
        https://cdn.pixabay.com/photo/2016/03/04/19/36/dawn-1234567_960_720.jpg https://pixabay.com/images/id-1234567/""",
    "pexels:1234567": """
        https://www.pexels.com/photo/dawn-over-sea-1234567/ https://www.pexels.com/de-de/foto/1234567/
        https://www.pexels.com/pl-pl/zdjecie/x-1234567/ https://www.pexels.com/photo/1234567/download/
        https://images.pexels.com/photos/1234567/pexels-photo-1234567.jpeg?auto=compress&cs=tinysrgb""",
    "instagram:CxYz_12-ab": """
        https://www.instagram.com/p/CxYz_12-ab/ https://instagram.com/jane/p/CxYz_12-ab/?igsh=x http://instagr.am/p/CxYz_12-ab""",
    "tumblr:123456789012": """
        https://jane.tumblr.com/post/123456789012/dawn https://www.tumblr.com/jane/123456789012
        https://www.tumblr.com/blog/view/jane/123456789012 https://jane.tumblr.com/image/123456789012""",
    "artstation:aB3d9": "https://www.artstation.com/artwork/aB3d9 https://jane.artstation.com/projects/aB3d9?album_id=1",
    "imgur:abcdefg": "https://i.imgur.com/abcdefg.jpg https://i.imgur.com/abcdefgh.png?1 http://imgur.com/abcdefg",
    "pinterest:1234567890": "https://www.pinterest.com/pin/1234567890/ https://www.pinterest.co.uk/pin/dawn--1234567890/",
    "youtube:dQw4w9WgXcQ": """
        https://i.ytimg.com/vi/dQw4w9WgXcQ/hqdefault.jpg https://www.youtube.com/watch?app=m&v=dQw4w9WgXcQ
        https://youtu.be/dQw4w9WgXcQ?t=1 https://img.youtube.com/vi/dQw4w9WgXcQ/0.jpg""",
    "panoramio:123": "http://www.panoramio.com/photo/123 http://static.panoramio.com/photos/large/123.jpg",
    "facebook:1234567890": """
        https://www.facebook.com/photo.php?fbid=1234567890&set=a.1 https://www.facebook.com/jane/photos/a.12.34/1234567890/
        https://scontent-a.xx.fbcdn.net/v/t1.0-9/1234_1234567890_9876_n.jpg?oh=x""",
    "shutterstock:1234567": """
        https://www.shutterstock.com/image-photo/dawn-over-sea-1234567
        https://image.shutterstock.com/image-photo/dawn-over-sea-260nw-1234567.jpg""",
    "observation:123456": "https://observation.org/photos/123456.jpg https://waarneming.nl/media/photo/123456.jpg",
}
MAKER_PAGES = {
    "https://unsplash.com/@Jane_Doe": "unsplash:@jane_doe",
    "https://commons.wikimedia.org/wiki/User:jane_Doe": "commons:Jane Doe",
    "https://commons.wikimedia.org/w/index.php?title=User:Jane+Doe&redlink=1": "commons:Jane Doe",
    "https://www.deviantart.com/Jane-D": "deviantart:jane-d",
    "http://jane-d.deviantart.com/": "deviantart:jane-d",
    "geograph.org.uk/profile/3101": "geograph:3101",
    "https://500px.com/p/jane": "500px:jane",
    "https://www.behance.net/Jane": "behance:jane",
    "https://www.inaturalist.org/people/345": "inaturalist:345",
    "https://www.inaturalist.org/people/jane_d": "inaturalist:jane_d",
    "https://pixabay.com/users/jane-345/": "pixabay:345",
    "https://www.pexels.com/@jane-d/": "pexels:@jane-d",
    "https://jane.tumblr.com/": "tumblr:@jane",
    "https://jane.artstation.com": "artstation:jane",
    "https://jane.smugmug.com/Travel/Dawn": "smugmug:jane",
    "https://www.instagram.com/jane.d/": "instagram:@jane.d",
    "http://i123.photobucket.com/albums/o1/jane/dawn.jpg": "photobucket:jane",
    "https://www.artstation.com/jane": "artstation:jane",
}
NOTHING = [
    "https://unsplash.com/",
    "https://unsplash.com/t/nature",
    "https://unsplash.com/s/photos/dawn",
    "https://example.unsplash.com.evil.org/photos/yC-Yzbqy7PY",
    "https://commons.wikimedia.org/w/index.php?curid=85383563",
    "https://en.wikipedia.org/wiki/File:Dawn.jpg",
    "https://upload.wikimedia.org/wikipedia/en/9/9c/Dawn.jpg",
    "https://commons.wikimedia.org/wiki/Category:Dawn",
    "https://www.inaturalist.org/observations/12345",
    "https://www.instagram.com/explore/",
    "https://www.deviantart.com/search?q=x",
    "https://www.deviantart.com/tag/dawn",
    "https://www.tumblr.com/search/dawn",
    "https://imgur.com/gallery/abcdefg",
    "https://www.artstation.com/search?q=x",
    "https://s3.amazonaws.com/photos/12345/large.jpg",
    "https://www.behance.net/search",
    "https://www.geograph.org.gg/photo/1680433",
    "https://500px.com/popular",
    "https://www.google.com/photo/123",
]


def what(text: str) -> Shown:
    return shown(canonical_url(text) or "") or Shown()


@pytest.mark.parametrize("case", VECTORS["pages"], ids=lambda case: case["input"])
def test_each_vector_of_what_a_url_shows_holds(case: dict[str, object]) -> None:
    found = shown(canonical_url(str(case["input"])) or "")
    assert (found and vars(found)) == case["shows"]


@pytest.mark.parametrize(
    ("photo", "url"),
    [(photo, url) for photo, urls in SAME_PHOTO.items() for url in re.split(r"\s+", urls.strip())],
)
def test_every_form_of_a_photo_is_one_photo(photo: str, url: str) -> None:
    assert what(url).photo == photo


@pytest.mark.parametrize(("url", "maker"), MAKER_PAGES.items())
def test_a_profile_shows_its_maker(url: str, maker: str) -> None:
    assert what(url).maker == maker


@pytest.mark.parametrize("url", NOTHING)
def test_other_pages_show_nothing(url: str) -> None:
    assert what(url) == Shown()


def test_a_file_name_without_a_photo_id_is_an_image() -> None:
    url = "https://images.unsplash.com/photo-1541961017774-22349e4a1262?ixlib=x&w=500"
    assert what(url) == Shown(image="unsplash:photo-1541961017774-22349e4a1262")


@pytest.mark.parametrize(("name", "rule"), RULES, ids=lambda value: value if isinstance(value, str) else "")
def test_every_pattern_is_read_by_both_engines(name: str, rule: Rule) -> None:
    caught = pc.extract_regex(pa.array(["no match"]), rule.pattern)
    assert [field.name for field in caught.type] == list(rule.compiled.groupindex), name


@pytest.mark.parametrize("platform", ALL, ids=lambda platform: platform.name)
def test_every_domain_leads_to_its_platform(platform: Platform) -> None:
    assert all(platform_of(f"www.{domain}") is platform for domain in platform.domains)


@pytest.mark.parametrize(("photo", "url"), [(photo, urls.split()[0]) for photo, urls in SAME_PHOTO.items()])
def test_a_photo_id_is_read_back_from_its_text(photo: str, url: str) -> None:
    name, _, value = photo.partition(":")
    assert BY_NAME[name].photo_id(value) == photo


@pytest.mark.parametrize(("url", "maker"), MAKER_PAGES.items())
def test_a_contributor_key_is_read_back_from_its_text(url: str, maker: str) -> None:
    name, _, handle = maker.partition(":")
    assert BY_NAME[name].maker_key(handle) == maker


HEADS = [
    "/",
    "/photos/jane",
    "/photos/jane/",
    "/people/jane",
    "/jane/art/a",
    "/w/index.php?",
    "/wiki/File:a",
    "/p/",
    "/photos",
]
FILLINGS = ["/", "-", "/-", "1", "&", "&id=", "a/", "%", ".", "tumblr_", "d1", "title=&"]


@pytest.mark.parametrize(("name", "rule"), RULES, ids=lambda value: value if isinstance(value, str) else "")
def test_no_url_makes_a_pattern_think_for_long(name: str, rule: Rule) -> None:
    began = time.process_time()
    for head in HEADS:
        for filling in FILLINGS:
            rule.compiled.match("host" + head + filling * (8000 // len(filling)) + "!")
    assert time.process_time() - began < 2, name
