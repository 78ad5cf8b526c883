"""Is it alive, can it work, how is it doing. By route, never by address: nothing tells who asked what."""

from __future__ import annotations

import ipaddress
import logging
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
from sqlalchemy import func, select

from api.schemas import Strict
from api.section import TEXT, Section, runtime
from byline.errors import NotFound, Unavailable
from registry.models import Job, LogState, Submission

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "OPTIONS"})

_log = logging.getLogger("byline.api")

section = Section("health", "Is it alive, can it work, how is it doing", prefix="")


class Health(Strict):
    """One word."""

    status = ma.fields.String(required=True)


class Metrics:
    """The counters of one app; its own registry, so two apps in one process do not meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own = self.registry
        self.requests = Counter(
            "byline_http_requests", "Answers", ["method", "route", "status"], registry=own
        )
        self.seconds = Histogram("byline_http_seconds", "Time to the first byte", ["route"], registry=own)
        self.jobs = Gauge("byline_jobs", "Jobs by lane and state", ["lane", "state"], registry=own)
        self.submissions = Gauge("byline_submissions", "Submissions by state", ["state"], registry=own)
        self.log_size = Gauge("byline_log_entries", "Entries of the transparency log", registry=own)


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
        metrics.requests.labels(method, route, str(response.status_code)).inc()
        if (began := flask.g.get("began")) is not None:
            metrics.seconds.labels(route).observe(time.perf_counter() - began)
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
    _measure(found)
    return flask.Response(
        generate_latest(found.registry),
        content_type=CONTENT_TYPE_LATEST,
        headers={"Cache-Control": "no-store"},
    )


def _is_near() -> bool:
    """Whether who asks is on this machine or a private network, and no proxy we were not told of stands between."""
    if "X-Forwarded-For" in flask.request.headers and not runtime().settings.trusted_proxies:
        return False
    try:
        return ipaddress.ip_address(flask.request.remote_addr or "").is_private
    except ValueError:
        return False


def _measure(found: Metrics) -> None:
    with runtime().sessions() as session:
        found.jobs.clear()
        for lane, state, n in session.execute(
            select(Job.lane, Job.state, func.count()).group_by(Job.lane, Job.state)
        ):
            found.jobs.labels(lane, state).set(n)
        found.submissions.clear()
        for state, n in session.execute(select(Submission.state, func.count()).group_by(Submission.state)):
            found.submissions.labels(state).set(n)
        found.log_size.set(session.execute(select(func.max(LogState.next_index))).scalar() or 0)
