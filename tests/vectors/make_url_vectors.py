"""Writes urls.json and selectors.json beside itself, from the inputs below.

Run it only when a case is added: the form is frozen, so no line that stands already may change. The files are
plain JSON, for implementations in other languages: `null` means "no http(s) URL" or "shows nothing".
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from byline.formats.platforms import shown
from byline.formats.selectors import fingerprint
from byline.formats.urls import canonical_url

HERE = Path(__file__).parent
URLS = """
HTTPS://User:pw@EXAMPLE.com:443/%7Euser/a%2fb/../c.jpg?w=1#frag
https://münchen.de/straße.jpg
//Example.com./x%41.jpg
http://example.com
http://example.com?
http://example.com/?#x
http://example.com:80/a
http://example.com:443/a
https://example.com:8443/a
https://example.com//a///b
https://example.com/a/./b/%2e%2E/c
https://example.com/b?z=1&a=2&z=0
https://example.com/%e2%82%ac?%7e=%2f
https://example.com/100%.jpg
https://example.com/%%36%31
https://example.com/%2%65%2%65/x
https://example.com/a b|c"d
https://0x7f.1/x
https://[2001:DB8::1]:443/x
example.com/x
example.com:8080/x
www.flickr.com/photos/12345678@N00/42848471642
127.0.0.1/x
jane@example.org
00012.jpg
daisy/7568630428_8cf0fc16ff_n.jpg
localhost/x
http://localhost/x
https://example.com../x
mailto:jane@example.org
javascript:alert(1)
data:image/png;base64,AAAA
ftp://example.com/a.jpg
http://
https://exa mple.com/
""".strip().split("\n")
PAGES = """
https://live.staticflickr.com/65535/51234567890_abcdef0123_b.jpg
http://farm66.static.flickr.com/65535/51234567890_abcdef0123.jpg
http://c2.staticflickr.com/66/65535/51234567890_abcdef0123_z.jpg?zz=1
https://www.flickr.com/photos/12345678@N00/51234567890/in/pool-1@N01/
http://flickr.com/photos/Some-Body//51234567890
https://flic.kr/p/2m4pF6N
https://www.flickr.com/photos/tags/51234567890
https://www.flickr.com/people/12345678%40n00/
https://unsplash.com/photos/a-harbour-at-dawn-yC-Yzbqy7PY
https://images.unsplash.com/photo-1541961017774-22349e4a1262?w=500
https://upload.wikimedia.org/wikipedia/commons/thumb/9/9c/Dawn_%28harbour%29.jpg/640px-Dawn_%28harbour%29.jpg
https://commons.wikimedia.org/wiki/Special:FilePath/dawn%20(harbour).jpg?width=300
https://commons.wikimedia.org/wiki/User:Jane_Doe
https://www.deviantart.com/somebody/art/Dawn-484904667
https://orig00.deviantart.net/8b30/f/2014/270/4/6/dawn_by_somebody-d80p6u3.jpg
https://s0.geograph.org.uk/geophotos/01/68/04/1680433_efec36e1.jpg
https://drscdn.500px.org/photo/193728967/m%3D1080/28edae140f35dfe4b9db15b3b8134799
https://www.behance.net/gallery/62316171/Dawn
https://example.com/dawn.jpg
""".strip().split("\n")
FINGERPRINTS = (
    ("fs", "51234567890_abcdef0123"),
    ("u", "example.com/~user/c.jpg?w=1"),
    ("u", "xn--mnchen-3ya.de/stra%C3%9Fe.jpg"),
    ("u", "example.com/xA.jpg"),
    ("h", "example.com"),
    ("photo", "flickr:51234567890"),
    ("sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
)


def main() -> None:
    """Write the two files."""
    urls = [{"input": text, "b1": canonical_url(text)} for text in URLS]
    pages = []
    for text in PAGES:
        found = shown(canonical_url(text) or "")
        pages.append({"input": text, "shows": asdict(found) if found else None})
    prints = [{"kind": kind, "value": value, "k": fingerprint(kind, value)} for kind, value in FINGERPRINTS]
    for name, content in (
        ("urls", {"canonical": urls}),
        ("selectors", {"pages": pages, "fingerprints": prints}),
    ):
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
