"""What every answer gets on its way out: ETag, gzip, CORS for reads, caching and security headers."""

from __future__ import annotations

import gzip

import flask

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


def register(app: flask.Flask) -> None:
    """Hook it in. Flask calls the last registered first: this comes before whatever adds headers."""
    app.after_request(finish)


def finish(response: flask.Response) -> flask.Response:
    """Complete the answer."""
    _protect(response)
    _share(response)
    _cache(response)
    _condition(response)
    _pack(response)
    return response


def _protect(response: flask.Response) -> None:
    headers = response.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if flask.request.path.startswith("/v1"):
        headers.setdefault("X-Robots-Tag", "noindex")  # no search engine shall list people's answers
    if flask.current_app.config["SESSION_COOKIE_SECURE"]:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")


def _share(response: flask.Response) -> None:
    """Public reads may be read by any page; what carries a token may not: a preflight never allows one."""
    request = flask.request
    if not request.path.startswith(SHARED) or "Authorization" in request.headers:
        return
    if request.method in READS:
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = TOLD
    elif request.method == "OPTIONS" and request.headers.get("Access-Control-Request-Method") in READS:
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Allow-Methods"] = "GET, HEAD"
        response.headers["Access-Control-Allow-Headers"] = "If-None-Match, If-Range, Range"
        response.headers["Access-Control-Max-Age"] = "86400"


def _cache(response: flask.Response) -> None:
    private = flask.request.method not in READS or "Authorization" in flask.request.headers
    usual = "no-store" if private or response.status_code >= 400 else "no-cache"
    response.headers.setdefault("Cache-Control", usual)


def _condition(response: flask.Response) -> None:
    """A weak ETag over the body, for reads whose view gave none; 304 where the caller has it."""
    whole = flask.request.method in READS and response.status_code == 200
    if not whole or response.is_streamed or "no-store" in response.headers["Cache-Control"]:
        return
    if "ETag" not in response.headers:
        response.add_etag(weak=True)
    response.make_conditional(flask.request.environ)


def _pack(response: flask.Response) -> None:
    """Gzip, except beside a token (BREACH: a secret's length must not depend on what the caller chose)."""
    if not response.content_type or not response.content_type.startswith(PACKABLE):
        return
    response.vary.add("Accept-Encoding")
    if (
        "Authorization" in flask.request.headers
        or flask.request.method not in READS
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
