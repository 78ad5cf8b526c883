"""Is it alive, can it work, how is it doing. By route, never by address: nothing tells who asked what."""

from __future__ import annotations

import ipaddress
import logging
import os
import time
from typing import Any

import flask
import marshmallow as ma
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import select

from api.schemas import Strict
from api.section import TEXT, Section, runtime
from byline.errors import NotFound, Unavailable
from registry.measures import measures

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "OPTIONS"})

_log = logging.getLogger("byline.api")
_requests = logging.getLogger("byline.requests")

section = Section("health", "Is it alive, can it work, how is it doing", prefix="")


class Health(Strict):
    """One word."""

    status = ma.fields.String(required=True)


class Metrics:
    """The counters of one app; its own registry, so two apps in one process do not meet.

    Where PROMETHEUS_MULTIPROC_DIR is set (`serve` does), each process's counters lie in that folder and any of
    them answers for all.
    """

    def __init__(self) -> None:
        own = CollectorRegistry()
        self.requests = Counter(
            "byline_http_requests", "Answers", ["method", "route", "status"], registry=own
        )
        self.seconds = Histogram("byline_http_seconds", "Time to the first byte", ["route"], registry=own)
        self.counted = own
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            self.counted = CollectorRegistry()
            MultiProcessCollector(self.counted)  # type: ignore[no-untyped-call]


def register(app: flask.Flask) -> None:
    """Count every answer by its route."""
    metrics = app.extensions["byline-metrics"] = Metrics()

    def begin() -> None:
        flask.g.began = time.perf_counter()

    def count(response: flask.Response) -> flask.Response:
        rule = flask.request.url_rule
        route = rule.rule if rule else "unknown"
        # Whatever stands where a method should is not a label: a caller could make a million of them.
        method = flask.request.method if flask.request.method in METHODS else "other"
        took = time.perf_counter() - flask.g.get("began", time.perf_counter())
        metrics.requests.labels(method, route, str(response.status_code)).inc()
        metrics.seconds.labels(route).observe(took)
        if _requests.isEnabledFor(logging.INFO):
            ms = round(took * 1000, 1)
            said = {"method": method, "route": route, "status": response.status_code, "ms": ms}
            _requests.info("request", extra=said)
        return response

    app.before_request(begin)
    app.after_request(count)


@section.get("/healthz", gives=Health, budget=None)
def healthz(_: dict[str, Any]) -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@section.get("/readyz", gives=Health, budget=None)
def readyz(_: dict[str, Any]) -> dict[str, str]:
    """The database and the store answer; which of them does not is for the log, not for strangers."""
    here = runtime()
    try:
        with here.sessions() as session:
            session.execute(select(1)).scalar_one()
        next(iter(here.store.list("feed/v1/head")), None)
    except Exception as error:  # noqa: BLE001 - whatever a driver raises means: not ready
        _log.warning("not ready", exc_info=error)
        raise Unavailable("not-ready", "The registry cannot work now.") from None
    return {"status": "ready"}


@section.get("/metrics", gives=TEXT, content_type="text/plain", budget=None, refuses=(404,))
def metrics(_: dict[str, Any]) -> flask.Response:
    """Prometheus' text format; of a public registry only for its own machine and private network.

    Counts of requests by the second would tell the world when somebody opted out.
    """
    if runtime().settings.is_public and not _is_near():
        raise NotFound("not-from-here", "The counters are for this registry's own network.")
    found: Metrics = flask.current_app.extensions["byline-metrics"]
    return flask.Response(
        generate_latest(found.counted) + generate_latest(_measured()),
        content_type=CONTENT_TYPE_LATEST,
        headers={"Cache-Control": "no-store"},
    )


def _measured() -> CollectorRegistry:
    """What the database and the disk say now."""
    here, shown = runtime(), CollectorRegistry()
    with here.sessions() as session:
        for one in measures(session, settings=here.settings, now=here.clock()):
            gauge = Gauge(one.name, one.about, one.labels, registry=shown)
            for labels, value in one.values.items():
                (gauge.labels(*labels) if labels else gauge).set(value)
    return shown


def _is_near() -> bool:
    """Whether who asks is on this machine or a private network, and no proxy we were not told of stands between."""
    if "X-Forwarded-For" in flask.request.headers and not runtime().settings.trusted_proxies:
        return False
    try:
        return ipaddress.ip_address(flask.request.remote_addr or "").is_private
    except ValueError:
        return False
