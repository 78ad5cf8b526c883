"""What a worker does: each kind of job, and the standing duties, one line each."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from registry import disk
from registry.contributors import indexing, proofs
from registry.database import transaction
from registry.feed.build import build_feed, is_due
from registry.jobs import LONG, MAIL, OUT, SHORT, Work
from registry.operators.signing_in import forget_old
from registry.optouts import claims_followed, letters, mailing, match, mine, pushing, telling
from registry.optouts.lapse import lapse
from registry.publishing import pipeline, retract, uploads
from registry.runtime import Runtime
from registry.tlog.integrate import integrate
from registry.tlog.sequence import assign_numbers, has_unnumbered
from registry.upkeep import tombstones
from registry.watches import asking as watches
from registry.watches import noting
from registry.watches import telling as watch_telling

Do = Callable[[Runtime, Work], None]
DoAll = Callable[[Runtime, Sequence[Work]], None]
QUICK_LANES = (SHORT, MAIL, OUT, OUT, OUT, OUT)  # four wait for other people's servers at once
LANES = (*QUICK_LANES, LONG)


@dataclass(frozen=True)
class Duty:
    """Something done again and again: at most one worker at a time, every `seconds`.

    True asks for another run at once.
    """

    name: str
    seconds: float
    run: Callable[[Runtime], bool]


def _ingest(here: Runtime, work: Work) -> None:
    disk.check_room(here.settings)  # it would fill what is left; wishes, numbering and the log go on
    pipeline.ingest(
        work.payload["submission"],
        sessions=here.sessions,
        items=here.items,
        store=here.store,
        settings=here.settings,
        clock=here.clock,
    )


def _forget(here: Runtime, work: Work) -> None:
    retract.forget(dict(work.payload), sessions=here.sessions, items=here.items, store=here.store)


def _match(here: Runtime, work: Work) -> None:
    match.run(
        sessions=here.sessions, items=here.items, store=here.store, payload=work.payload, now=here.clock()
    )


def _match_opt_outs(here: Runtime, works: Sequence[Work]) -> None:
    match.match_opt_outs(
        here.sessions,
        items=here.items,
        store=here.store,
        opt_out_ids=[work.payload["opt_out"] for work in works],
        now=here.clock(),
    )


def _mail(here: Runtime, work: Work) -> None:
    to, subject, body = mailing.open_mail(here.seal, work.payload)
    here.mailer.send(to, subject, body, now=here.clock())


def _prove(here: Runtime, work: Work) -> None:
    proofs.check(
        here.sessions,
        egress=here.egress,
        public_url=here.settings.public_url,
        claim_id=work.payload["claim"],
        photo=work.payload["photo"],
        now=here.clock,
    )


def _claim(here: Runtime, work: Work) -> None:
    with transaction(here.sessions) as session:
        claims_followed.follow_claim(session, claim_id=work.payload["claim"], now=here.clock())


def _push(here: Runtime, work: Work) -> None:
    pushing.push(
        here.sessions,
        egress=here.egress,
        seal=here.seal,
        publisher_id=work.payload["publisher"],
        now=here.clock(),
    )


def _mail_notices(here: Runtime, work: Work) -> None:
    letters.mail(
        here.sessions,
        mailer=here.mailer,
        settings=here.settings,
        publisher_id=work.payload["publisher"],
        now=here.clock(),
    )


def _mine(here: Runtime, work: Work) -> None:
    mine.send_mine(
        here.sessions,
        seal=here.seal,
        settings=here.settings,
        payload=work.payload,
        now=here.clock(),
        token_urlsafe=lambda: secrets.token_urlsafe(32),
    )


def _tell_watch(here: Runtime, work: Work) -> None:
    watch_telling.tell(
        here.sessions,
        mailer=here.mailer,
        egress=here.egress,
        seal=here.seal,
        settings=here.settings,
        watch_id=work.payload["watch"],
        now=here.clock(),
    )


def _number(here: Runtime) -> bool:
    with here.sessions() as session:
        if not has_unnumbered(session):
            return False
    with transaction(here.sessions) as session:
        return assign_numbers(session) > 0


def _log(here: Runtime) -> bool:
    settings = here.settings
    done = integrate(
        here.sessions, store=here.store, log_key=here.log_key, origin=settings.origin, now=here.clock()
    )
    return done > 0


def _index(here: Runtime) -> bool:
    return indexing.follow(here.sessions, here.search) > 0


def _merge(here: Runtime) -> bool:
    return here.search.merge()


def _feed(here: Runtime) -> bool:
    with here.sessions() as session:
        if not is_due(session, settings=here.settings, now=here.clock()):
            return False
    padding_key = here.seal.derive("feed padding")
    head = build_feed(
        here.sessions,
        store=here.store,
        log_key=here.log_key,
        padding_key=padding_key,
        settings=here.settings,
        now=here.clock(),
    )
    return head is not None


def _watch(here: Runtime) -> bool:
    return noting.follow(here.sessions, now=here.clock()) > 0


def _keep_tombstones(here: Runtime) -> bool:
    return tombstones.keep_tombstones(here.sessions, here.store)


def _expire(here: Runtime) -> bool:
    uploads.expire_overdue(here.sessions, store=here.store, now=here.clock())
    return False


def _lapse(here: Runtime) -> bool:
    with transaction(here.sessions) as session:
        forget_old(session, now=here.clock())
        noting.forget_told(session, now=here.clock())
        return lapse(session, now=here.clock())


def _recheck(here: Runtime) -> bool:
    with transaction(here.sessions) as session:
        return proofs.recheck(session, now=here.clock())


# What each kind of job is. A new kind is a line here and a function in its room.
JOBS: Mapping[str, Do] = {
    "ingest": _ingest,
    "forget": _forget,
    "mail": _mail,
    match.OF_ROWS: _match,
    "prove": _prove,
    "claim": _claim,
    mine.JOB: _mine,
    telling.PUSH: _push,
    telling.LETTER: _mail_notices,
    watches.JOB: _tell_watch,
}
# Of these as many as wait are done at once: a queue that grows is worked off the faster.
TOGETHER: Mapping[str, DoAll] = {match.OF_OPT_OUT: _match_opt_outs}
QUICK_DUTIES = (
    Duty("sequence", 0.2, _number),
    Duty("log", 0.3, _log),
    Duty("watches", 2.0, _watch),
    Duty("tombstones", 5.0, _keep_tombstones),
    Duty("expiry", 60.0, _expire),
    Duty("lapse", 3600.0, _lapse),
    Duty("recheck", 60.0, _recheck),
)
LONG_DUTIES = (Duty("index", 0.2, _index), Duty("merge", 60.0, _merge), Duty("feed", 0.5, _feed))
DUTIES = QUICK_DUTIES + LONG_DUTIES
