"""A wish comes in: by claims that were confirmed, or by items and a mail address. It may be taken back."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict, Unpack

from sqlalchemy import select
from sqlalchemy.orm import Session

from byline.errors import Conflict, NotFound, Refused
from byline.formats import canonical, categories
from byline.formats.entries import commitment_entry
from byline.formats.selectors import Selector, fingerprint, parse_selector
from registry.config import Settings
from registry.mail import check_address
from registry.models import Claim, Dataset, OptOut, OptOutClaim, OptOutScope, OptOutSelector, Publisher
from registry.optouts.access import find_opt_out, require_claim, require_token, token_hash
from registry.optouts.kept import forget
from registry.optouts.mailing import find_link, send_confirmation
from registry.optouts.match import ask
from registry.optouts.meant import ITEM_KINDS
from registry.seal import Seal
from registry.tlog.append import append

RELATIONS = ("maker", "pictured", "for-someone-else")
USES = tuple(label for label, bit in categories.CATEGORIES.items() if bit & categories.ALL_USES)
MOST_SELECTORS = 1_000
MOST_DATASETS = 1_000
TokenBytes = Callable[[int], bytes]


class ClaimGiven(TypedDict):
    """A claim, and the secret that acts for it."""

    id: str
    token: str


class Said(TypedDict, total=False):
    """What a person asks.

    `claims`, or `selectors` (texts of photos, URLs and digests) with `email`; `datasets`: `publisher/name`,
    none meaning every one there is and will be; `categories`: of USES, none meaning all; `listed`: the owner
    of a host lets the public feed name it.
    """

    claims: Sequence[ClaimGiven]
    selectors: Sequence[str]
    email: str | None
    relation: str
    categories: Sequence[str]
    remove_existing: bool
    datasets: Sequence[str]
    publisher_only: bool
    listed: bool


@dataclass(frozen=True, kw_only=True)
class Request:
    """The same, whole."""

    claims: Mapping[str, str] = field(default_factory=dict)
    items: tuple[str, ...] = ()
    email: str = ""
    relation: str = "maker"
    categories: tuple[str, ...] = USES
    remove_existing: bool = True
    datasets: tuple[str, ...] = ()
    publisher_only: bool = False
    listed: bool = False


def make_opt_out(
    session: Session,
    *,
    seal: Seal,
    settings: Settings,
    now: dt.datetime,
    token_bytes: TokenBytes,
    **said: Unpack[Said],
) -> dict[str, Any]:
    """Take a wish down. By claims it is in force at once; by items it waits for the mailed link.

    `{"id", "state", "assurance", "token"}`; the token is shown this once, and None where claims stand behind
    it: any of their tokens acts.

    Refused: `claims-or-items`, `unknown-relation`, `unknown-category`, `claim-not-confirmed`, `not-an-item`,
    `unknown-selector`, `too-many-selectors`, `datasets-needed`, `host-not-claimed`, `email-needed`,
    `bad-mail-address`; Untrusted("wrong-token"); NotFound("no-such-dataset").
    """
    request = _as_request(said)
    _check_shape(request)
    claims = [_confirmed(require_claim(session, id_, token)) for id_, token in request.claims.items()]
    selectors = _selectors([claim.identity for claim in claims], request.items)
    _check_selectors(request, selectors)
    datasets = _datasets(session, request.datasets)
    token = None if claims else _token(token_bytes)
    opt_out = _write(
        session, request, selectors, claims, datasets, token=token, now=now, token_bytes=token_bytes
    )
    if claims:
        _come_into_force(session, opt_out, now)
    else:
        _await_mail(session, opt_out, request, seal=seal, settings=settings, now=now, token_bytes=token_bytes)
    return {**_state(opt_out), "assurance": opt_out.assurance, "token": token}


def confirm_by_mail(session: Session, *, token: str, now: dt.datetime) -> dict[str, Any]:
    """The button was pressed: the opt-out is in force. Pressing it again changes nothing.

    NotFound("no-such-link"), Refused("link-lapsed").
    """
    link, opt_out = find_link(session, token, now)
    if opt_out.state == "awaiting-mail":
        link.used_at = now
        _come_into_force(session, opt_out, now)
    return _state(opt_out)


def withdraw(session: Session, *, opt_out_id: str, token: str, now: dt.datetime) -> dict[str, Any]:
    """Take it back: nothing is asked of anybody any more, and the next feed shows it gone.

    Again changes nothing.

    NotFound("no-such-opt-out"), Untrusted("wrong-token").
    """
    opt_out = find_opt_out(session, opt_out_id)
    require_token(session, opt_out, token)
    return withdraw_found(session, opt_out, now=now)


def withdraw_found(session: Session, opt_out: OptOut, *, now: dt.datetime) -> dict[str, Any]:
    """The same, for who showed otherwise that it is theirs."""
    was, opt_out.state = opt_out.state, "withdrawn"
    if was != "withdrawn":
        opt_out.withdrawn_at, opt_out.matched_at, opt_out.feed_seq = now, now, None
        forget(session, opt_out.id, now)
    if was == "in-force":
        _log(session, "opt-out-withdrawn", opt_out, now)
    return {**_state(opt_out), "receipt": _withdrawal_receipt(opt_out)}


def _withdrawal_receipt(opt_out: OptOut) -> str | None:
    """Where the proof of it will be in a second; a wish that never was in force left nothing in the log."""
    at = f"/v1/receipts/{opt_out.commitment}?kind=opt-out-withdrawn"
    return at if opt_out.in_force_at is not None else None


def _state(opt_out: OptOut) -> dict[str, Any]:
    return {"id": opt_out.id, "state": opt_out.state}


def _as_request(said: Said) -> Request:
    return Request(
        claims={claim["id"]: claim["token"] for claim in said.get("claims", ())},
        items=tuple(dict.fromkeys(said.get("selectors", ()))),
        email=said.get("email") or "",
        relation=said.get("relation", "maker"),
        categories=tuple(said.get("categories", ())) or USES,
        remove_existing=said.get("remove_existing", True),
        datasets=tuple(dict.fromkeys(said.get("datasets", ()))),
        publisher_only=said.get("publisher_only", False),
        listed=said.get("listed", False),
    )


def _check_shape(request: Request) -> None:
    if bool(request.claims) == bool(request.items):
        raise Refused(
            "claims-or-items",
            "an opt-out stands on confirmed claims, or on photos, URLs and digests; give one of the two",
        )
    if request.relation not in RELATIONS:
        raise Refused(
            "unknown-relation", f"say how you are related to it: {', '.join(RELATIONS)}", at="relation"
        )
    unknown = sorted(set(request.categories) - set(USES))
    if unknown:
        raise Refused(
            "unknown-category",
            f"{unknown[0]!r} is none of {', '.join(USES)}",
            at="categories",
            details={"known": list(USES)},
        )
    if len(request.claims) + len(request.items) > MOST_SELECTORS or len(request.datasets) > MOST_DATASETS:
        raise Refused(
            "too-many-selectors",
            f"at most {MOST_SELECTORS:,} items and {MOST_DATASETS:,} datasets in one request",
        )
    if request.relation != "maker" and not request.items:
        raise Refused(
            "not-an-item",
            "who is in a picture, or asks for someone else, names the picture itself",
            at="selectors",
        )
    if request.relation != "maker" and not request.datasets:
        raise Refused(
            "datasets-needed",
            "name the datasets whose publishers shall see this; nobody else will",
            at="datasets",
        )
    if request.items and not request.email:
        raise Refused("email-needed", "a mail address confirms a request that names items", at="email")


def _confirmed(claim: Claim) -> Claim:
    if claim.state != "confirmed" or claim.assurance is None:
        raise Refused(
            "claim-not-confirmed",
            f"the claim to {claim.identity} is {claim.state}; it must be confirmed first",
            at="claims",
        )
    return claim


def _selectors(identities: Collection[str], items: Collection[str]) -> list[Selector]:
    found = {parse_selector(text): text for text in (*identities, *items)}
    for selector, text in found.items():
        if text in items and selector.kind not in ITEM_KINDS:
            raise Refused(
                "not-an-item",
                f"{text[:200]!r} is not one picture; claim an identity or a site instead",
                at="selectors",
            )
    return list(found)


def _check_selectors(request: Request, selectors: Collection[Selector]) -> None:
    if request.listed and not any(selector.kind == "host" for selector in selectors):
        raise Refused(
            "host-not-claimed", "only the owner of a host can have it listed in the feed", at="listed"
        )


def _datasets(session: Session, names: Collection[str]) -> list[int]:
    ids = []
    for name in dict.fromkeys(names):
        slug, _, dataset = name.partition("/")
        joined = select(Dataset.id).join(Publisher, Publisher.id == Dataset.publisher_id)
        found = session.scalar(joined.where(Publisher.slug == slug, Dataset.name == dataset))
        if found is None:
            raise NotFound("no-such-dataset", f"there is no dataset {name[:200]}", at="datasets")
        ids.append(found)
    return ids


def _write(
    session: Session,
    request: Request,
    selectors: Collection[Selector],
    claims: Collection[Claim],
    datasets: Collection[int],
    *,
    token: str | None,
    now: dt.datetime,
    token_bytes: TokenBytes,
) -> OptOut:
    salt, said = token_bytes(32), _as_said(request, selectors, now)
    bits = categories.bits(request.categories) | (
        categories.REMOVE_EXISTING if request.remove_existing else 0
    )
    opt_out = OptOut(
        id=token_bytes(16).hex(),
        token_hash=None if token is None else token_hash(token),
        state="awaiting-mail",
        assurance="verified"
        if claims and all(claim.assurance == "verified" for claim in claims)
        else "asserted",
        relation=request.relation,
        scope="datasets" if datasets else "all",
        publisher_only=request.publisher_only,
        listed=request.listed,
        remove_existing=request.remove_existing,
        categories=bits,
        vocabulary=[{"vocabulary": "byline", "version": "1", "labels": list(request.categories)}],
        salt=salt,
        request=said,
        commitment=hashlib.sha256(salt + said).hexdigest(),
        made_at=now,
    )
    session.add(opt_out)
    session.flush()
    session.add_all(OptOutClaim(opt_out_id=opt_out.id, claim_id=claim.id) for claim in claims)
    session.add_all(
        OptOutSelector(
            opt_out_id=opt_out.id,
            kind=s.kind,
            value=s.value,
            k=fingerprint(s.kind, s.value),
            k_beside=fingerprint("photo2", s.value) if s.kind == "photo" else None,
        )
        for s in selectors
    )
    session.add_all(OptOutScope(opt_out_id=opt_out.id, dataset_id=dataset) for dataset in datasets)
    session.flush()
    return opt_out


def _as_said(request: Request, selectors: Collection[Selector], now: dt.datetime) -> bytes:
    """The bytes the log commits to, beside the salt: what was asked, in canonical JSON."""
    return canonical.dumps(
        {
            "v": 1,
            "relation": request.relation,
            "selectors": sorted([selector.kind, selector.value] for selector in selectors),
            "categories": sorted(request.categories),
            "remove_existing": request.remove_existing,
            "datasets": sorted(request.datasets),
            "publisher_only": request.publisher_only,
            "listed": request.listed,
            "made_at": canonical.timestamp(now),
        }
    )


def _await_mail(
    session: Session,
    opt_out: OptOut,
    request: Request,
    *,
    seal: Seal,
    settings: Settings,
    now: dt.datetime,
    token_bytes: TokenBytes,
) -> None:
    email = check_address(request.email)
    opt_out.email_sealed, opt_out.email_digest = seal.seal(email), seal.digest(email.lower())
    send_confirmation(
        session,
        opt_out,
        email=email,
        seal=seal,
        settings=settings,
        now=now,
        token_urlsafe=lambda: _token(token_bytes),
    )


def _come_into_force(session: Session, opt_out: OptOut, now: dt.datetime) -> None:
    if opt_out.state != "awaiting-mail":
        raise Conflict("already-decided", f"this opt-out is {opt_out.state}")
    opt_out.state, opt_out.in_force_at = "in-force", now
    _log(session, "opt-out", opt_out, now)
    ask(session, now=now, opt_out=opt_out.id)


def _log(session: Session, kind: str, opt_out: OptOut, now: dt.datetime) -> None:
    leaf = commitment_entry(kind, commitment=opt_out.commitment, at=now)
    append(session, kind=kind, subject=f"opt-out:{opt_out.id}", ref=opt_out.commitment, leaf=leaf, now=now)


def _token(token_bytes: TokenBytes) -> str:
    return base64.urlsafe_b64encode(token_bytes(32)).decode("ascii").rstrip("=")
