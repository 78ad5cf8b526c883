"""Wikimedia Commons: a photo is its file name, a maker is the user who uploaded it.

`curid=` names a page, not a file, and a file page of a Wikipedia may be a local file of the same name:
neither is read.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote, unquote_plus

from byline.formats.platforms.rules import Platform, Rule

_SPACES = re.compile(r"[ _ ]+")


def title(text: str) -> str | None:
    """A page title as the wiki keeps it: percent-decoded, underscores are spaces, first letter upper, NFC."""
    return _tidy(unquote(text, errors="replace"))


def form_title(text: str) -> str | None:
    """The same from a query, where `+` is a space."""
    return _tidy(unquote_plus(text, errors="replace"))


def _tidy(text: str) -> str | None:
    name = _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip()
    if not name or "�" in name or any(unicodedata.category(letter) == "Cc" for letter in name):
        return None
    return name[0].upper() + name[1:]


def file_name(text: str) -> str | None:
    """A title that can be a file's: `Dawn.jpg`, also where `File:` still stands before it."""
    name = title(re.sub(r"^(?i:file|image)(?::|%3A)", "", text))
    return name if name and re.match(FILE, name) else None


def form_file_name(text: str) -> str | None:
    """The same from a query."""
    name = form_title(text)
    return name if name and re.match(FILE, name) else None


FILE = r"^[^/#<>\[\]|{}]{1,240}\.[A-Za-z0-9]{2,5}$"
_NAMESPACE = r"(?:[Ff]ile|[Ii]mage|[Ff]ile_talk)(?::|%3A)"
_PHOTO = r"(?P<photo>[^/?]+)"  # in a path an `&` is a letter like others
_SPECIAL = r"[Ss]pecial(?::|%3A)(?:[Ff]ile[Pp]ath|[Rr]edirect/file)/+(?:" + _NAMESPACE + ")?"
_USER = r"(?:[Uu]ser(?:_talk)?)(?::|%3A)(?P<alias>[^/?&#]+)"
_SHARD = r"[0-9a-f]/+[0-9a-f]{2}/+"

PLATFORM = Platform(
    name="commons",
    title="Wikimedia Commons",
    domains=("commons.wikimedia.org", "commons.m.wikimedia.org", "upload.wikimedia.org"),
    hosts=r"commons(?:\.m)?\.wikimedia\.org",
    rules=(
        Rule(r"^/+wikipedia/+commons/+" + _SHARD + _PHOTO + r"(?:\?.*)?$", host=r"upload\.wikimedia\.org"),
        Rule(r"^/+wikipedia/+commons/+thumb/+" + _SHARD + _PHOTO + "/.*$", host=r"upload\.wikimedia\.org"),
        Rule(
            r"^/+wikipedia/+commons/+archive/+" + _SHARD + r"[0-9]{14}(?:!|%21)" + _PHOTO + r"(?:\?.*)?$",
            host=r"upload\.wikimedia\.org",
        ),
        Rule(
            r"^/+wikipedia/+commons/+thumb/+archive/+" + _SHARD + r"[0-9]{14}(?:!|%21)" + _PHOTO + "/.*$",
            host=r"upload\.wikimedia\.org",
        ),
        Rule(r"^/+wiki/+" + _NAMESPACE + _PHOTO + r"(?:\?.*)?$"),
        Rule(r"^/+wiki/+" + _SPECIAL + _PHOTO + r"(?:\?.*)?$"),
        Rule(
            r"^/+w/+index\.php\?(?:.*&)?title=" + _NAMESPACE + r"(?P<photo>[^&]+)(?:&.*)?$",
            reads={"photo": form_file_name},
        ),
        Rule(
            r"^/+w/+index\.php\?(?:.*&)?title=[Ss]pecial(?::|%3A)(?:[Ff]ile[Pp]ath|[Rr]edirect(?:/|%2F)file)(?:/|%2F)(?P<photo>[^&]+)(?:&.*)?$",
            reads={"photo": form_file_name},
        ),
        Rule(
            r"^/+(?:wiki/+|w/+index\.php\?(?:.*&)?title=)"
            r"[Ss]pecial(?::|%3A)(?:[Ff]ile[Pp]ath|[Rr]edirect(?:/|%2F)file)[?&](?:.*&)?(?:file|wpvalue)=(?P<photo>[^&]+)(?:&.*)?$",
            reads={"photo": form_file_name},
        ),
        Rule(r"^/+w/+thumb\.php\?(?:.*&)?f=(?P<photo>[^&]+)(?:&.*)?$", reads={"photo": form_file_name}),
        Rule(r"^/+wiki/+" + _USER + r"(?:\?.*)?$"),
        Rule(r"^/+wiki/+Special(?::|%3A)(?:ListFiles|Contributions)/+(?P<alias>[^/?&]+)(?:\?.*)?$"),
        Rule(r"^/+w/+index\.php\?(?:.*&)?title=" + _USER + r"(?:&.*)?$", reads={"alias": form_title}),
    ),
    photo=FILE,
    alias=r"^[^/#<>\[\]|{}\n]{1,200}$",
    read_alias=title,
    read_photo=file_name,
    profile="https://commons.wikimedia.org/wiki/User:{}",
    photo_page="https://commons.wikimedia.org/wiki/File:{}",
    proof="Put the line onto your user page, in an edit made from your own account.",
)
