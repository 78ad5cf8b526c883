"""GET and POST to addresses on the public internet, each redirect checked like the first address."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urljoin

import can_ada
import certifi
import httpcore

from byline.errors import NotFound, Refused, Unavailable
from registry.config import Settings
from registry.egress.addresses import check_public
from registry.egress.guarded import Limits, Meter, PinnedBackend
from registry.egress.names import Names, SystemNames

PORTS = {"https": 443, "http": 80}
AGENT = "byline-registry (proofs and notices)"
LONGEST_URL = 8_192
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class Answer:
    """What a server said: the address that answered in the end, its status, headers by lower-case name, body."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Place:
    """A URL read once, by the WHATWG rules; nothing reads it a second time by others."""

    url: str
    scheme: str
    host: str
    port: int
    target: str


class Egress:
    """The one client.

    `stand_in` (`http://127.0.0.1:PORT`) is sent every request, with its Host kept: for demos. `also` are
    (address, port) pairs that may be reached though they are not public: for tests.
    """

    def __init__(
        self,
        names: Names,
        *,
        stand_in: str = "",
        also: Collection[tuple[str, int]] = (),
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.names, self.limits = names, limits or Limits()
        self._stand_in = _read(stand_in) if stand_in else None
        self._also = frozenset(also)
        self._given_tls = tls

    def get(self, url: str, *, stays: Callable[[str], bool], accept: str = "text/html") -> Answer:
        """Fetch a page; a redirect is followed where `stays(url)` holds, at most `limits.redirects` times.

        NotFound("no-such-host"); Refused: `bad-address`, `address-not-public`, `answer-too-large`, `too-many-redirects`, `moved-away`;
        Unavailable: `name-not-resolved`, `not-reached`, `too-slow`.
        """
        meter = Meter(self.limits)
        headers = {"Accept": accept, "Accept-Encoding": "identity"}
        for _ in range(self.limits.redirects + 1):
            answer = self._exchange("GET", url, headers, None, meter)
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                return answer
            url = _read(urljoin(answer.url, answer.headers["location"])).url
            if not stays(url):
                raise Refused(
                    "moved-away", "the page leads to another address, which proves nothing", at="url"
                )
        raise Refused("too-many-redirects", f"more than {self.limits.redirects} redirects", at="url")

    def post(self, url: str, body: bytes, *, headers: Mapping[str, str]) -> Answer:
        """Send something; no redirect is followed. Errors as of `get`."""
        return self._exchange("POST", url, headers, body, Meter(self.limits))

    def texts(self, name: str) -> list[str]:
        """The TXT records of a name; NotFound("no-such-record"), Unavailable("name-not-resolved")."""
        return self.names.texts(name, seconds=self.limits.seconds)

    def check(self, url: str) -> None:
        """Refuse an address that could never be asked: another scheme or port, a user, no public address."""
        place = _read(url)
        if self._stand_in is None:
            self._pinned(place, self.names.addresses(place.host, seconds=self.limits.seconds))

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, meter: Meter
    ) -> Answer:
        place = _read(url)
        address, port, scheme = self._where(place, meter)
        said = {"Host": _host_header(place), "User-Agent": AGENT, "Connection": "close", **headers}
        target = httpcore.URL(scheme=scheme, host=place.host, port=port, target=place.target)
        backend = PinnedBackend(address, meter)
        try:
            with httpcore.ConnectionPool(ssl_context=self._tls, network_backend=backend) as pool:
                answer = pool.request(method, target, headers=list(said.items()), content=body)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise Unavailable(
                "not-reached", f"{place.host} did not answer ({type(error).__name__})", retry_after=60
            ) from error
        return Answer(place.url, answer.status, _headers(answer.headers), answer.content)

    def _where(self, place: Place, meter: Meter) -> tuple[str, int, str]:
        """The address to connect to, the port and the scheme: resolved once, every answer checked."""
        if self._stand_in is not None:
            return self._stand_in.host, self._stand_in.port, self._stand_in.scheme
        addresses = self.names.addresses(place.host, seconds=meter.seconds)
        return self._pinned(place, addresses), place.port, place.scheme

    def _pinned(self, place: Place, addresses: Sequence[str]) -> str:
        if not addresses:
            raise NotFound("no-such-host", f"there is no server called {place.host}", at="url")
        if not all((address, place.port) in self._also for address in addresses):
            _check_port(place)
            check_public(addresses, host=place.host)
        return addresses[0]

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """The machine's certificates and the ones shipped with certifi: slim images have none of their own."""
        if self._given_tls is not None:
            return self._given_tls
        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
        return context


def open_egress(settings: Settings) -> Egress:
    """The one of a running registry."""
    return Egress(SystemNames(settings.nameserver), stand_in=settings.stand_in_web)


def _read(url: str) -> Place:
    try:
        parsed = can_ada.parse(url) if len(url) <= LONGEST_URL else None
    except ValueError:
        parsed = None
    scheme = parsed.protocol.rstrip(":") if parsed is not None else ""
    if parsed is None or scheme not in PORTS or parsed.username or parsed.password or not parsed.hostname:
        raise Refused(
            "bad-address",
            "an address begins with https:// and names a host, without user or password",
            at="url",
        )
    port = int(parsed.port) if parsed.port else PORTS[scheme]
    host = parsed.hostname.strip("[]").rstrip(".")
    return Place(parsed.href, scheme, host, port, f"{parsed.pathname}{parsed.search}")


def _check_port(place: Place) -> None:
    if place.port != PORTS[place.scheme]:
        raise Refused("bad-address", f"only the usual port {PORTS[place.scheme]} is asked", at="url")


def _host_header(place: Place) -> str:
    host = f"[{place.host}]" if ":" in place.host else place.host
    return host if place.port == PORTS[place.scheme] else f"{host}:{place.port}"


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("ascii").lower(): value.decode("latin-1") for name, value in raw}
