"""Hosts as opt-outs name them: which parents cover a host, and where an owner's ground ends.

Source: the Public Suffix List (publicsuffix.org), as the package `publicsuffixlist` ships it, private section
included.
"""

from __future__ import annotations

from functools import cache, lru_cache

from publicsuffixlist import PublicSuffixList

from byline.errors import Refused
from byline.formats.platforms import ALL, platform_of, shown
from byline.formats.selector_text import host_name

DEEPEST = 8
"""Host and parents that are asked for; deeper names are covered by these."""


@cache
def _suffixes() -> PublicSuffixList:
    """The list that is shipped with the package, private section included; read once, never fetched."""
    return PublicSuffixList()


@lru_cache(maxsize=65_536)
def host_chain(host: str) -> tuple[str, ...]:
    """What may cover a canonical host: itself and its parents to the registrable domain, no public suffix."""
    if host.startswith("[") or host[-1:].isdigit():
        return (host,)  # an address has no parents
    domain = _suffixes().privatesuffix(host)
    if domain is None:
        return ()
    labels = host.split(".")
    deepest = len(labels) - domain.count(".") - 1
    chain = [".".join(labels[at:]) for at in range(deepest + 1)]
    return tuple(chain[-DEEPEST:])


def require_host(text: str) -> str:
    """Read a host that an opt-out may name.

    Raises Refused("not-a-host"), or Refused("public-suffix", "shared-host") where strangers share it.
    """
    host = host_name(text)
    if host is None:
        raise Refused("not-a-host", f"{text[:200]!r} is not a host name.")
    if not host_chain(host):
        raise Refused("public-suffix", f"Under {host} many owners have their sites; name your own host.")
    if _is_shared(host):
        raise Refused(
            "shared-host", f"Many people have their pictures at {host}; name your profile or your own site."
        )
    return host


def _is_shared(host: str) -> bool:
    """Whether pictures of strangers lie there: a platform's host, or what stands above one.

    One that is somebody's own (`jane.smugmug.com`) shows a maker.
    """
    if platform_of(host):
        page = shown(f"{host}/")
        return page is None or page.maker is None
    return any(domain.endswith(f".{host}") for platform in ALL for domain in platform.domains)


def host_covers(host: str, other: str) -> bool:
    """Whether an opt-out of `host` reaches rows of `other`: itself and what is under it."""
    return host in host_chain(other)
