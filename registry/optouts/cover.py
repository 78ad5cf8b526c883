"""The cover sheet of what one opt-out can show: one page of HTML in plain words, to be printed; nothing is fetched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import urlsplit

AUTHORITIES = (
    ("European Union, EEA", "your national data protection authority", "https://www.edpb.europa.eu/about-edpb/about-edpb/members_en"),
    ("United Kingdom", "Information Commissioner’s Office", "https://ico.org.uk/make-a-complaint/"),
    ("Switzerland", "Federal Data Protection and Information Commissioner", "https://www.edoeb.admin.ch"),
    ("California", "California Privacy Protection Agency", "https://cppa.ca.gov"),
)  # fmt: skip
WORDS = {
    "pending": "about to be sent",
    "sent": "told; no answer is known",
    "undeliverable": "could not be reached so far",
    "acknowledged": "says it has seen the request and is at work on it",
    "unlisted": "a newer version of the list no longer names the person, as this registry saw itself",
    "said-deleted": "says that it deleted the records",
    "suppressed": "says that it holds the records back from use",
    "exempt": "says that it need not take them out",
    "not-found": "says that it has nothing of this person",
    "contested": "was told that the person disagrees with its answer",
    "withdrawn": "the person took the request back",
    "confirmed": "takes the request as good",
    "declined": "does not take the request as good",
    "reopened": "rows of the person were seen again: it was asked again",
    "publisher-not-approved": "not asked: the publisher is not approved by this registry",
}
CHANNELS = {
    "poll": "it fetched the request with its own key",
    "webhook": "its server took a message",
    "mail": "its mail server took a mail",
}
STANDS_ON = {
    "verified": "a proof that the account or site is the person’s",
    "asserted": "a confirmed mail address, or the registry operator’s hand",
}
STYLE = (
    "body{font:11pt/1.45 Georgia,serif;max-width:42em;margin:2em auto;padding:0 1em;color:#111;background:#fff}"
    "h1{font-size:1.6em}h2{font-size:1.15em;margin-top:1.6em}dt{font-weight:bold}dd{margin:0 0 .4em}"
    "code{font-size:.8em;overflow-wrap:anywhere}section{break-inside:avoid}"
)


@dataclass(frozen=True)
class Complaints:
    """Who runs the registry, and where it is reached."""

    origin: str
    operator: str
    contact: str


LINEAGE = (
    "its publisher says it was made from {parent}, where records matched; none was found in this list itself"
)


def cover(
    opt_out: Mapping[str, Any],
    told: Iterable[Mapping[str, Any]],
    *,
    complaints: Complaints,
    vkey: str,
    left_out: Iterable[str],
) -> str:
    """The page. Everything that anybody wrote is escaped; there is no script, and no address is loaded."""
    told = list(told)
    asked = {one["dataset"] for one in told}
    quiet = [one for one in opt_out["datasets"] if one["dataset"] not in asked]
    parts = [
        "<h1>An opt-out, and what became of it</h1>",
        f"<p>Kept by {_e(complaints.origin)}. This page says in words what the files beside it prove.</p>",
        _wish(opt_out),
        "<h2>Who was asked, and what they did</h2>",
        *(_notice(one) for one in told),
        *(f"<section><h3>{_e(one['dataset'])}</h3><p>{_words(one['state'])}.</p></section>" for one in quiet),
        "" if told or quiet else "<p>No registered dataset was matched so far.</p>",
        "<p>That a newer list no longer names somebody says nothing of copies made before, or of trained models.</p>",
        _whom(told, complaints),
        _checking(vkey),
        _left_out(left_out),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Opt-out {_e(opt_out['id'])}</title><style>{STYLE}</style></head><body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body></html>\n"
    )


def _wish(opt_out: Mapping[str, Any]) -> str:
    receipt = opt_out["receipt"]
    rows = [
        ("Number", opt_out["id"]),
        ("Made", _day(opt_out["made_at"])),
        ("In force since", _day(opt_out["in_force_at"])),
        ("Withdrawn", _day(opt_out["withdrawn_at"])),
        ("About", ", ".join(f"{one['kind']} {one['value']}" for one in opt_out["selectors"])),
        ("Not to be used for", ", ".join(opt_out["categories"])),
        ("Existing records", "to be taken out" if opt_out["remove_existing"] else "may stay"),
        ("Stands on", STANDS_ON.get(opt_out["assurance"])),
        ("Sealed in the public log as", receipt["commitment"] if receipt else None),
    ]  # fmt: skip
    return f"<h2>The request</h2>{_list(rows)}"


def _notice(one: Mapping[str, Any]) -> str:
    rows = [
        ("Who", one["publisher"] + (f" ({one['publisher_domain']})" if one["publisher_domain"] else "")),
        ("As", "one who documents the dataset and does not hold it" if one["observed"] else None),
        ("Records matched", None if one["parent"] else f"{one['records']:,}"),
        ("By lineage", one["parent"] and LINEAGE.format(parent=one["parent"])),
        ("Versions", ", ".join(version["version"] for version in one["manifests"])),
        ("Asked", _day(one["made_at"])),
        *(("Arrived", f"{_day(way['at'])}: {CHANNELS.get(way['channel'], way['channel'])}") for way in one["deliveries"][:5]),
        ("An answer was asked for by", _day(one["answer_by"])),
        *((_day(said["at"]), _said(said)) for said in one["answers"]),
        ("Now", WORDS.get(one["state"], one["state"])),
    ]  # fmt: skip
    return f"<section><h3>{_e(one['dataset'])}</h3>{_list(rows)}</section>"


def _said(said: Mapping[str, Any]) -> str:
    who = {"publisher": "It", "person": "The person disagreed;", "registry": "This registry saw:"}
    text = f"{who.get(said['by'], said['by'])} {WORDS.get(said['outcome'], said['outcome'])}"
    text += f", version {said['version']}" if said["version"] else ""
    return text + (f". Reason given: “{said['reason']}”" if said["reason"] else "")


def _whom(told: Iterable[Mapping[str, Any]], complaints: Complaints) -> str:
    contacts = [(one["dataset"], one["contact"] or "no contact is stated") for one in told]
    rows = [*contacts, (f"This registry ({complaints.operator or complaints.origin})", complaints.contact)]
    links = "".join(
        f'<li>{_e(place)}: {_e(name)}, <a href="{_e(link)}">{_e(urlsplit(link).netloc)}</a></li>'
        for place, name, link in AUTHORITIES
    )
    return (
        f"<h2>Whom to complain to</h2><p>First whoever holds the data, in writing:</p>{_list(rows)}"
        f"<p>Then the authority where you live or where they sit, for example:</p><ul>{links}</ul>"
        "<p>This is no legal advice. Whether they must comply depends on the law that applies.</p>"
    )


def _checking(vkey: str) -> str:
    return (
        "<h2>How anybody can check this</h2><p>The files ending in <code>.tlog-proof</code> show, without us, that a "
        "statement stands in our public log. With the free tool byline:</p>"
        "<p><code>byline receipt verify wish/receipt.tlog-proof --statement opt-out.json --key "
        f"'{_e(vkey)}'</code></p>"
        "<p><code>manifests/</code> holds what publishers signed about their datasets, <code>answers/</code> what they "
        "signed in answer (one statement may answer others too), <code>notices.json</code> every step with its time; a "
        "delivery’s proof is the SHA-256 of the request or message. <code>SHA256SUMS</code> lists every file.</p>"
    )


def _left_out(left_out: Iterable[str]) -> str:
    names = sorted(left_out)
    if not names:
        return ""
    items = "".join(f"<li><code>{_e(name)}</code></li>" for name in names[:200])
    return f"<h2>Not in here</h2><p>Too large together, taken from view, or not in the log yet:</p><ul>{items}</ul>"


def _list(rows: Iterable[tuple[str, str | None]]) -> str:
    told = "".join(f"<dt>{_e(name)}</dt><dd><bdi>{_e(said)}</bdi></dd>" for name, said in rows if said)
    return f"<dl>{told}</dl>"


def _words(state: str) -> str:
    return _e(WORDS.get(state, state)).capitalize()


def _day(when: dt.datetime | None) -> str:
    return f"{when.astimezone(dt.UTC):%-d %B %Y, %H:%M} UTC" if when else ""


def _e(text: object) -> str:
    return escape(str(text), quote=True)
