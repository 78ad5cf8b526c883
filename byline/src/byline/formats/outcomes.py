"""What a holder says it did about notices: `urn:byline:outcome:v1`, up to 10,000 notices in one statement.

The one subject is `outcomes:SLUG` with SHA-256 of the canonical JSON of `predicate.outcomes`; `previous` is the
publisher's last outcome statement. A later statement amends what an earlier one said of the same notice.
Source: docs/formats/outcomes.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from byline.errors import Refused
from byline.formats import canonical, statements
from byline.formats.fields import Fields
from byline.formats.statements import Claimed, Statement, Subject

OUTCOMES = ("acknowledged", "confirmed", "declined", "said-deleted", "suppressed", "exempt", "not-found")
NEED_REASON = frozenset({"declined", "exempt"})
MOST_NOTICES = 10_000
LONGEST_REASON = 1_000
_NOTICE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Said:
    """One outcome, said of several notices; `version` is the dataset's in which it is done, where one is named."""

    outcome: str
    notices: tuple[str, ...]
    reason: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class OutcomeClaim(Claimed):
    """The predicate."""

    publisher: str
    outcomes: tuple[Said, ...]


def build(common: Mapping[str, Any], *, publisher: str, outcomes: Sequence[Said]) -> bytes:
    """The payload of an outcome statement; `common` as of `statements.common`."""
    listed = [
        {"outcome": one.outcome, "notices": list(one.notices)}
        | ({"reason": one.reason} if one.reason else {})
        | ({"version": one.version} if one.version else {})
        for one in outcomes
    ]
    predicate = {**common, "publisher": publisher, "outcomes": listed}
    payload = statements.build(statements.OUTCOME, [_subject(publisher, listed)], predicate)
    read(statements.parse(payload))
    return payload


def read(statement: Statement) -> OutcomeClaim:
    """Read an outcome statement strictly; each notice stands in it once."""
    if statement.predicate_type != statements.OUTCOME:
        raise Refused(
            "wrong-predicate-type",
            f"a statement of type {statements.OUTCOME} is needed here",
            at="predicateType",
        )
    fields = Fields(statement.predicate, "predicate")
    common = vars(statements.claimed(fields))
    publisher = fields.text("publisher", longest=64, pattern=statements.SLUG)
    said = tuple(_said(one) for one in fields.objects("outcomes", most=MOST_NOTICES))
    fields.done()
    named = [notice for one in said for notice in one.notices]
    if not named or len(named) > MOST_NOTICES:
        raise Refused(
            "bad-member", f"1 to {MOST_NOTICES:,} notices in one statement", at="predicate.outcomes"
        )
    if len(set(named)) < len(named):
        raise Refused(
            "notice-named-twice", "a notice has one outcome in a statement", at="predicate.outcomes"
        )
    if statement.subject != (_subject(publisher, statement.predicate["outcomes"]),):
        raise Refused(
            "wrong-subject",
            f"the one subject must be outcomes:{publisher} with SHA-256 of predicate.outcomes",
            at="subject",
        )
    return OutcomeClaim(**common, publisher=publisher, outcomes=said)


def _said(fields: Fields) -> Said:
    outcome = fields.choice("outcome", OUTCOMES)
    notices = tuple(fields.items("notices", most=MOST_NOTICES))
    reason = fields.text_or_none("reason", longest=LONGEST_REASON)
    version = fields.text_or_none("version", longest=64, pattern=statements.VERSION)
    fields.done()
    if not notices or not all(isinstance(one, str) and _NOTICE.fullmatch(one) for one in notices):
        raise fields.wrong("notices", "ids of notices, 32 hex digits each")
    if outcome in NEED_REASON and reason is None:
        raise Refused("reason-needed", f"say why it is {outcome}", at=fields.place("reason"))
    return Said(outcome, notices, reason, version)


def _subject(publisher: str, outcomes: Any) -> Subject:
    return Subject(f"outcomes:{publisher}", hashlib.sha256(canonical.dumps(outcomes)).hexdigest())
