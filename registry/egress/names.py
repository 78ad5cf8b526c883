"""Names to addresses and to texts, over DNS alone: neither the hosts file nor odd spellings of numbers."""

from __future__ import annotations

import ipaddress
from typing import Protocol

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.TXT import TXT

from byline.errors import NotFound, Unavailable

MOST_TEXTS, LONGEST_TEXT = 50, 1_000


class Names(Protocol):
    """Who is asked about names."""

    def addresses(self, host: str, *, seconds: float) -> list[str]:
        """Every IPv4 and IPv6 address; empty where there is none. Unavailable("name-not-resolved")."""
        ...

    def texts(self, name: str, *, seconds: float) -> list[str]:
        """The TXT records, each one string. NotFound("no-such-record"), Unavailable("name-not-resolved")."""
        ...


class SystemNames:
    """The resolvers of this machine, or one nameserver `HOST:PORT`."""

    def __init__(self, nameserver: str = "") -> None:
        self._resolver = dns.resolver.Resolver(configure=not nameserver)
        self._resolver.search = []  # a name stands for itself, whatever domain this machine is in
        if nameserver:
            host, _, port = nameserver.rpartition(":")
            self._resolver.nameservers, self._resolver.port = [host.strip("[]")], int(port)

    def addresses(self, host: str, *, seconds: float) -> list[str]:
        """Every address; a literal is its own."""
        try:
            return [str(ipaddress.ip_address(host.strip("[]")))]
        except ValueError:
            pass
        found = []
        for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
            found += [record.to_text() for record in self._ask(host, kind, seconds)]
        return found

    def texts(self, name: str, *, seconds: float) -> list[str]:
        """The TXT records; the strings of one are joined (RFC 7208 section 3.3)."""
        records = self._ask(name, dns.rdatatype.TXT, seconds)
        if not records:
            raise NotFound("no-such-record", f"there is no TXT record {name}", at=name)
        texts = [record for record in records[:MOST_TEXTS] if isinstance(record, TXT)]
        joined = (b"".join(record.strings) for record in texts)
        return [text[:LONGEST_TEXT].decode("utf-8", "replace") for text in joined]

    def _ask(self, name: str, kind: dns.rdatatype.RdataType, seconds: float) -> list[dns.rdata.Rdata]:
        try:
            absolute = dns.name.from_text(name)
            answer = self._resolver.resolve(absolute, kind, raise_on_no_answer=False, lifetime=seconds)
        except (dns.resolver.NXDOMAIN, dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel):
            return []
        except dns.exception.DNSException as error:
            raise Unavailable(
                "name-not-resolved", f"the name {name[:253]} could not be resolved just now", retry_after=60
            ) from error
        return list(answer.rrset or ())
