"""`This identity is me`, and the mails that confirm things."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from registry.models.base import Base


class Claim(Base):
    """A claim to one identity.

    `token_hash` is SHA-256 of the secret; `proof` is the public line and says nothing of it.

    `state`: pending, confirmed, rejected, lapsed (its line is gone), disputed (somebody else proved the same
    before). `assurance` once confirmed: verified (identity or host), asserted (a name in one dataset, or a
    mail address alone). `check_at` is when its line is looked for again. Mail addresses are sealed with a key
    that is not in the database.
    """

    __tablename__ = "claim"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    identity: Mapped[str] = mapped_column(String(1000), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    proof: Mapped[str] = mapped_column(String(100), unique=True)
    email_sealed: Mapped[bytes | None]
    email_digest: Mapped[str | None] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(10), default="pending", index=True)
    assurance: Mapped[str | None] = mapped_column(String(10))
    made_at: Mapped[dt.datetime]
    decided_at: Mapped[dt.datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(100))
    reason: Mapped[str | None] = mapped_column(String(1000))
    checked_at: Mapped[dt.datetime | None]
    check_at: Mapped[dt.datetime | None] = mapped_column(index=True)
    missing_since: Mapped[dt.datetime | None]


class Proof(Base):
    """What was seen when a claim's line was looked for at one place.

    `how`: profile, photo, dns, well-known. `state`: found, missing, unreachable. `saw` says it in words;
    `seen_at` is when the line was last there.
    """

    __tablename__ = "proof"
    claim_id: Mapped[str] = mapped_column(ForeignKey("claim.id"), primary_key=True)
    how: Mapped[str] = mapped_column(String(12), primary_key=True)
    place: Mapped[str] = mapped_column(String(2000))
    state: Mapped[str] = mapped_column(String(12))
    saw: Mapped[str] = mapped_column(String(300))
    checked_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime | None]


class MailToken(Base):
    """A link sent by mail.

    `purpose` opt-out, claim or mine, `ref` what it confirms; works once, until `expires_at`.
    """

    __tablename__ = "mail_token"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20))
    ref: Mapped[str] = mapped_column(String(32), index=True)
    email_digest: Mapped[str] = mapped_column(String(64), index=True)
    made_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class MailSession(Base):
    """`My page`, opened by a mailed link until `ends_at`. Of its key only SHA-256 is kept."""

    __tablename__ = "mail_session"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    email_digest: Mapped[str] = mapped_column(String(64), index=True)
    ends_at: Mapped[dt.datetime] = mapped_column(index=True)


class OperatorAct(Base):
    """What the operator did, who, and why. Never deleted."""

    __tablename__ = "operator_act"
    id: Mapped[int] = mapped_column(primary_key=True)
    who: Mapped[str] = mapped_column(String(100))
    what: Mapped[str] = mapped_column(String(50))
    subject: Mapped[str] = mapped_column(String(300))
    why: Mapped[str] = mapped_column(String(1000))
    at: Mapped[dt.datetime]
