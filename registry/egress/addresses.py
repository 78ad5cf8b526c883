"""Which addresses are the public internet's. Source: the IANA special-purpose registries (RFC 6890 and later).

Everything that is not plainly global is refused: private, loopback, link-local (cloud metadata lives there),
shared, multicast, reserved, and every IPv6 form that carries an IPv4 address inside (mapped, compatible,
translated, 6to4, Teredo): what such an address reaches is decided by somebody else's router.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from byline.errors import Refused

_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
_NOT_GLOBAL = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # shared, RFC 6598; 100.100.100.200 is a cloud's metadata
        "168.63.129.16/32",  # a cloud's own services at a public-looking address
        "192.0.0.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.175.48.0/24",
        "198.18.0.0/15",  # benchmarks
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "2001::/23",  # Teredo, ORCHID, and other protocols' own
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",
        "3fff::/20",  # documentation, RFC 9637
    )
)


def is_public(text: str) -> bool:
    """Whether an address (never a name) may be connected to; False for what is no address."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and (address.scope_id or address not in _GLOBAL_6):
        return False
    return address.is_global and not any(
        address in network for network in _NOT_GLOBAL if network.version == address.version
    )


def check_public(addresses: Collection[str], *, host: str) -> None:
    """Refused("address-not-public") where any is not: a name with one good and one bad answer is an attack."""
    if not addresses or not all(is_public(address) for address in addresses):
        raise Refused(
            "address-not-public",
            f"{host[:253]} does not lead to an address on the public internet",
            at="url",
        )
