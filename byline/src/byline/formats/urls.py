"""Canonical form `b1` of a URL: one text for the spellings that mean one place (docs/formats/urls.md).

WHATWG parse; drop scheme, userinfo, fragment, default port, one trailing host dot, empty query; decode %XX of
the unreserved, upper-case the other hex. No slash is collapsed, no query sorted, no parameter dropped, `www.`
stays. Frozen: a change is a new tag. `canonical_url("https://" + canonical_url(u)) == canonical_url(u)` for
every `u`.
"""

from __future__ import annotations

import re

import can_ada

from byline.errors import Refused

LONGEST = 8192
"""Bytes of UTF-8; a longer text is no URL to us, before and after canonicalisation."""

_CONTROL_AND_SPACE = "".join(map(chr, range(0x21)))
_TAB_OR_NEWLINE = str.maketrans("", "", "\t\n\r")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_PORT_FOLLOWS = re.compile(r"[0-9]{1,5}(?:[/?#\\]|$)")
_HOST_OF_BARE = re.compile(r"[^/?#\\]*")
_FILE_ENDING = re.compile(
    r"\.(?:jpe?g|png|gif|webp|tiff?|bmp|svg|heic|avif|raw|mp4|mov|txt|csv|html?|json|parquet)$", re.IGNORECASE
)
_FOUR_NUMBERS = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?::[0-9]+)?$")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_HEX = frozenset("0123456789abcdefABCDEF")
_PLAIN_PORTS = ("80", "443")


def canonical_url(text: str | None) -> str | None:
    """Give `b1` of a URL as people and datasets write it; None where it is no http(s) URL.

    A missing scheme is https (`www.flickr.com/…`, `//host/…`), if what stands there can be a host: it has a
    dot, no `@` (a mail address), and does not end like a file (`00012.jpg`). Follows the WHATWG URL standard,
    then docs/formats/urls.md.
    """
    if not text or len(text) > LONGEST:
        return None
    plain = text if text.isprintable() else text.translate(_TAB_OR_NEWLINE)  # translate is slow; few need it
    whole = _with_scheme(plain.strip(_CONTROL_AND_SPACE))
    if whole is None:
        return None
    try:
        url = can_ada.parse(whole)
        host, port, path, query = url.hostname, url.port, url.pathname, url.search
    except (ValueError, TypeError, UnicodeError):  # not a URL; a lone surrogate is a TypeError there
        return None
    if url.protocol not in {"https:", "http:"}:
        return None
    return _assembled(host, port, (path, query))


def require_url(text: str) -> str:
    """Give `b1`, or Refused("not-a-url")."""
    found = canonical_url(text)
    if found is None:
        raise Refused("not-a-url", f"{text[:200]!r} is not an http or https URL.")
    return found


def host_of(canonical: str) -> str:
    """The host of a `b1` text, without a port: `example.com:8080/x` -> `example.com`."""
    authority = canonical.partition("/")[0]
    return authority.partition("]")[0] + "]" if authority.startswith("[") else authority.partition(":")[0]


def _with_scheme(text: str) -> str | None:
    scheme = _SCHEME.match(text)
    if scheme is not None and scheme[1].lower() in {"http", "https"}:
        return text
    if text.startswith("//"):
        return "https:" + text
    if scheme is not None and not ("." in scheme[1] and _PORT_FOLLOWS.match(text, scheme.end())):
        return None  # mailto:, data:, javascript:, and our own prefixes; not example.com:8080/x
    return "https://" + text if _may_be_host(_HOST_OF_BARE.match(text)[0]) else None  # type: ignore[index]


def _may_be_host(authority: str) -> bool:
    if authority.startswith("["):
        return True  # an IPv6 literal: nothing else begins so
    if "." not in authority or "@" in authority or _FILE_ENDING.search(authority):
        return False
    last = authority.partition(":")[0].rstrip(".").rpartition(".")[2]
    return bool(last) and (not last[-1].isdigit() or _FOUR_NUMBERS.match(authority) is not None)


def _assembled(host: str, port: str, rest: tuple[str, str]) -> str | None:
    host = host.removesuffix(".")
    if not host or host.endswith("."):
        return None
    path, query = map(_unescaped, rest)
    if "/." in path:  # an escape behind a stray percent sign may have become a dot segment
        path = can_ada.parse("https://x" + path).pathname
    where = host if port in {"", *_PLAIN_PORTS} else f"{host}:{port}"
    whole = where + path + (query if query != "?" else "")
    return whole if len(whole) <= LONGEST else None


def _unescaped(part: str) -> str:
    if "%" not in part:
        return part
    if _STRAY_PERCENT.search(part):
        return _unescaped_to_the_end(part)
    return _ESCAPE.sub(_one_escape, part)


def _one_escape(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if character in _UNRESERVED else found[0].upper()


def _unescaped_to_the_end(part: str) -> str:
    """Decode until nothing changes: `%%36%31` is `%61` is `a`. From the right, so that one pass is enough."""
    done: list[str] = []  # the result, backwards
    for character in reversed(part):
        if character == "%" and len(done) > 1 and done[-1] in _HEX and done[-2] in _HEX:
            meant = chr(int(done[-1] + done[-2], 16))
            if meant in _UNRESERVED:
                del done[-2:]
                done.append(meant)
                continue
            done[-2:] = [done[-2].upper(), done[-1].upper()]
        done.append(character)
    return "".join(reversed(done))
