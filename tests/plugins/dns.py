"""A real DNS server on loopback (dnslib): UDP and TCP, with the TXT records it is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from dnslib import AAAA, QTYPE, RCODE, RR, TXT, A
from dnslib.server import BaseResolver, DNSLogger, DNSServer

_DATA = {"A": A, "AAAA": AAAA}


class Zone(BaseResolver):  # type: ignore[misc]  # dnslib carries no types
    """`texts`: name -> TXT records; `addresses`: name -> addresses; `broken` names answer SERVFAIL."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self.addresses: dict[str, list[str]] = {}
        self.broken: set[str] = set()
        self.nameserver = ""

    def resolve(self, request: Any, _handler: Any) -> Any:
        """Answer one question."""
        name, kind = str(request.q.qname).rstrip(".").lower(), QTYPE[request.q.qtype]
        reply = request.reply()
        if name in self.broken:
            reply.header.rcode = RCODE.SERVFAIL
        elif name not in {*self.texts, *self.addresses}:
            reply.header.rcode = RCODE.NXDOMAIN
        for text in self.texts.get(name, ()) if kind == "TXT" else ():
            pieces = [text[at : at + 255].encode() for at in range(0, len(text), 255)]
            reply.add_answer(RR(request.q.qname, QTYPE.TXT, rdata=TXT(pieces), ttl=1))
        for address in self.addresses.get(name, ()):
            if kind == ("AAAA" if ":" in address else "A"):
                reply.add_answer(RR(request.q.qname, request.q.qtype, rdata=_DATA[kind](address), ttl=1))
        return reply


@contextmanager
def running() -> Iterator[Zone]:
    """A server for the length of a `with`; `nameserver` is its BYLINE_NAMESERVER."""
    zone = Zone()
    silent = DNSLogger(log="")
    udp = DNSServer(zone, port=0, address="127.0.0.1", logger=silent)
    port = udp.server.server_address[1]
    tcp = DNSServer(zone, port=port, address="127.0.0.1", tcp=True, logger=silent)
    zone.nameserver = f"127.0.0.1:{port}"
    for server in (udp, tcp):
        server.start_thread()
    try:
        yield zone
    finally:
        for server in (udp, tcp):
            server.stop()
            server.server.server_close()


@pytest.fixture
def zone() -> Iterator[Zone]:
    """An empty zone."""
    with running() as served:
        yield served
