"""What every answer gets on its way out: ETag, gzip, CORS for reads, caching and security headers."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import TYPE_CHECKING

import flask

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

READS = frozenset({"GET", "HEAD"})
SHARED = ("/v1", "/feed", "/log", "/openapi.yaml")  # whoever's page may read these
TOLD = "ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Content-Digest, Content-Range"
PACKABLE = (
    "application/json",
    "application/problem+json",
    "application/ld+json",
    "application/yaml",
    "text/",
)
WORTH_PACKING = 1024
PROTECTING = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)


def register(app: flask.Flask) -> None:
    """Hook it in. Flask calls the last registered first: this comes before whatever adds headers."""
    app.after_request(finish)


def finish(response: flask.Response) -> flask.Response:
    """Complete the answer."""
    environ, path, config = flask.request.environ, flask.request.path, flask.current_app.config
    present = {name.lower() for name, _ in response.headers}
    wanted = [*_protecting(path, over_https=config["SESSION_COOKIE_SECURE"]), _caching(environ, response)]
    response.headers.extend([pair for pair in wanted if pair[0].lower() not in present])
    _share(response, path, environ)
    _condition(response, environ)
    _pack(response, environ)
    return response


def _protecting(path: str, *, over_https: bool) -> Iterator[tuple[str, str]]:
    yield from PROTECTING
    if path.startswith("/v1"):
        yield "X-Robots-Tag", "noindex"  # no search engine shall list people's answers
    if over_https:
        yield "Strict-Transport-Security", "max-age=31536000"


def _share(response: flask.Response, path: str, environ: WSGIEnvironment) -> None:
    """Public reads may be read by any page; what carries a token may not: a preflight never allows one."""
    if not path.startswith(SHARED) or "HTTP_AUTHORIZATION" in environ:
        return
    if environ["REQUEST_METHOD"] in READS:
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = TOLD
    elif (
        environ["REQUEST_METHOD"] == "OPTIONS" and environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD") in READS
    ):
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Methods"] = "GET, HEAD"
        response.headers["Access-Control-Allow-Headers"] = "If-None-Match, If-Range, Range"
        response.headers["Access-Control-Max-Age"] = "86400"


def _caching(environ: WSGIEnvironment, response: flask.Response) -> tuple[str, str]:
    private = environ["REQUEST_METHOD"] not in READS or "HTTP_AUTHORIZATION" in environ
    return "Cache-Control", "no-store" if private or response.status_code >= 400 else "no-cache"


def _condition(response: flask.Response, environ: WSGIEnvironment) -> None:
    """A weak ETag over the body, for reads whose view gave none; 304 where the caller has it."""
    whole = environ["REQUEST_METHOD"] in READS and response.status_code == 200
    if not whole or response.is_streamed or "no-store" in response.headers["Cache-Control"]:
        return
    response.add_etag(weak=True)
    response.make_conditional(environ)


def _pack(response: flask.Response, environ: WSGIEnvironment) -> None:
    """Gzip, except beside a token (BREACH: a secret's length must not depend on what the caller chose)."""
    if not response.content_type or not response.content_type.startswith(PACKABLE):
        return
    if "Vary" in response.headers:
        response.vary.add("Accept-Encoding")
    else:
        response.headers["Vary"] = "Accept-Encoding"
    if (
        "HTTP_ACCEPT_ENCODING" not in environ
        or "HTTP_AUTHORIZATION" in environ
        or environ["REQUEST_METHOD"] not in READS
        or response.is_streamed
        or response.status_code != 200
        or "Content-Encoding" in response.headers
        or not flask.request.accept_encodings["gzip"]
        or len(data := response.get_data()) < WORTH_PACKING
    ):
        return
    response.set_data(gzip.compress(data, 6, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    tag, weak = response.get_etag()
    if tag is not None and not weak:
        response.set_etag(tag, weak=True)
