"""Stock agencies, one table each: a number on the page and in the file's name.

Their addresses name no maker.
"""

from __future__ import annotations

from byline.formats.platforms.rules import Platform, Rule

_ID = r"(?P<photo>[1-9][0-9]{4,11})"
_TAIL = r"(?:[/?].*)?$"

SHUTTERSTOCK = Platform(
    name="shutterstock",
    title="Shutterstock",
    domains=("shutterstock.com",),
    hosts=r"(?:(?:www|enterprise)\.)?shutterstock\.com",
    rules=(
        Rule(
            r"^/+(?:[a-z]{2}(?:-[A-Z]{2})?/+)?(?:image-photo|image-vector|image-illustration|pic|editorial/+image-editorial)/*(?:[^/?]*-)?"
            + _ID
            + r"/*(?:\?.*)?$"
        ),
        Rule(r"^/+pic(?:\.mhtml\?id=|-)" + _ID + r"(?:[/&.?].*)?$"),
        Rule(
            r"^/(?:.*/)?[^/?]*-" + _ID + r"\.(?:jpg|webp|png)(?:\?.*)?$",
            host=r"(?:image|thumb[0-9]*|ak[0-9]*\.picdn|www)\.shutterstock\.com",
        ),
    ),
    photo_page="https://www.shutterstock.com/image-photo/{}",
)

GETTY = Platform(
    name="getty",
    title="Getty Images and iStock",
    domains=("gettyimages.com", "gettyimages.co.uk", "gettyimages.de", "istockphoto.com"),
    hosts=r"(?:www\.)?(?:gettyimages\.[a-z.]+|istockphoto\.com)",
    rules=(
        Rule(r"^/+detail/+(?:[^/?]+/+)*(?:[^/?]*-)?" + _ID + r"/*(?:\?.*)?$"),
        Rule(
            r"^/+(?:[a-z]{2}/+)?(?:photo|vector|illustration)/+[^/?]*-gm" + _ID + r"(?:-[0-9]+)?/*(?:\?.*)?$"
        ),
        Rule(
            r"^/+(?:photos|vectors|illustrations)/+[^/?]*-id" + _ID + r"(?:\?.*)?$",
            host=r"media[0-9]*\.(?:gettyimages|istockphoto)\.com",
        ),
        Rule(r"^/+id/+" + _ID + r"/.*$", host=r"media[0-9]*\.(?:gettyimages|istockphoto)\.com"),
    ),
    photo_page="https://www.gettyimages.com/detail/{}",
)

ADOBE = Platform(
    name="adobestock",
    title="Adobe Stock",
    domains=("stock.adobe.com", "ftcdn.net"),
    hosts=r"stock\.adobe\.com",
    rules=(
        Rule(r"^/+(?:[a-z]{2}/+)?(?:images|stock-photo|[a-z]+)/+(?:[^/?]+/+)?" + _ID + r"/*(?:\?.*)?$"),
        Rule(
            r"^/+(?:[a-z]+/+)?jpg/+(?:[0-9]{2}/+){4}[0-9]+_F_" + _ID + r"_[A-Za-z0-9]+\.jpg(?:\?.*)?$",
            host=r"[a-z]+[0-9]*\.ftcdn\.net",
        ),
    ),
    photo_page="https://stock.adobe.com/images/id/{}",
)

DREAMSTIME = Platform(
    name="dreamstime",
    title="Dreamstime",
    domains=("dreamstime.com",),
    hosts=r"(?:(?:www|[a-z]{2})\.)?dreamstime\.com",
    rules=(
        Rule(r"^/(?:[^?]*-)?(?:image|imagefree|photo)" + _ID + _TAIL),
        Rule(r"^/+[a-z]/+(?:[^/?]*-)?" + _ID + r"\.(?:jpg|webp)(?:\?.*)?$", host=r"thumbs\.dreamstime\.com"),
    ),
    photo_page="https://www.dreamstime.com/image{}",
)

DEPOSITPHOTOS = Platform(
    name="depositphotos",
    title="Depositphotos",
    domains=("depositphotos.com",),
    hosts=r"(?:(?:www|[a-z]{2})\.)?depositphotos\.com",
    rules=(
        Rule(r"^/+" + _ID + r"/+[^/?]+\.html(?:\?.*)?$"),
        Rule(r"^/+(?:[a-z-]+/+)?[^/?]*-" + _ID + r"\.html(?:\?.*)?$"),
        Rule(
            r"^/.*/depositphotos_" + _ID + r"[-.][^/?]*(?:\?.*)?$",
            host=r"(?:st[0-9]*|static[0-9]*)\.depositphotos\.com",
        ),
    ),
)
