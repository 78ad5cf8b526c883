"""publisher, claim, dataset, conflicts: the operator's hand. Who and why is kept for good."""

from __future__ import annotations

from typing import Any

import click

from registry.cli.answer import accountable, answering

Answer = tuple[Any, str]


@click.group()
def publisher() -> None:
    """Who signs here."""


@publisher.command("list")
@answering
def list_publishers() -> Answer:
    """Every publisher: approved, waiting, or suspended."""
    from sqlalchemy import select

    from registry.cli.opening import opened
    from registry.models import Publisher

    with opened() as here, here.sessions() as session:
        rows = session.scalars(select(Publisher).order_by(Publisher.slug)).all()
    found = [
        {"slug": p.slug, "name": p.name, "status": p.status, "approved": p.approved, "suspended": p.suspended}
        for p in rows
    ]
    lines = [f"{p.slug:24} {_standing(p.approved, p.suspended):10} {p.status:14} {p.name}" for p in rows]
    return {"items": found}, "\n".join(lines) or "no publishers yet"


def _standing(approved: bool, suspended: bool) -> str:  # noqa: FBT001
    return "suspended" if suspended else "approved" if approved else "waiting"


@publisher.command()
@click.argument("slug")
@accountable
@answering
def approve(slug: str, who: str, why: str) -> Answer:
    """Let a publisher's attributions count for others' rows (also ends a suspension)."""
    from registry.cli.opening import opened
    from registry.database import transaction
    from registry.publishing import standing

    with opened() as here, transaction(here.sessions) as session:
        standing.approve(session, slug=slug, who=who, why=why, now=here.clock())
    return {"slug": slug, "approved": True, "suspended": False}, f"{slug} is approved"


@publisher.command()
@click.argument("slug")
@accountable
@answering
def suspend(slug: str, who: str, why: str) -> Answer:
    """Let them count no more."""
    from registry.cli.opening import opened
    from registry.database import transaction
    from registry.publishing import standing

    with opened() as here, transaction(here.sessions) as session:
        changed = standing.suspend(session, slug=slug, who=who, why=why, now=here.clock())
    return {"slug": slug, "approved": changed.approved, "suspended": True}, f"{slug} is suspended"


@click.group()
def claim() -> None:
    """`This identity is me`: what waits for the operator."""


@claim.command("list")
@click.option(
    "--state",
    default="pending",
    type=click.Choice(["pending", "confirmed", "rejected", "all"]),
    show_default=True,
)
@answering
def list_claims(state: str) -> Answer:
    """Claims, oldest first."""
    from registry.cli.opening import opened
    from registry.contributors import claim as claims

    with opened() as here, here.sessions() as session:
        found = claims.list_claims(session, state=None if state == "all" else state)
    return {"items": found}, "\n".join(_claim_line(one) for one in found) or "none"


@claim.command()
@click.argument("claim_id")
@answering
def show(claim_id: str) -> Answer:
    """One claim, with the public line to look for on the profile."""
    from registry.cli.opening import opened
    from registry.contributors import claim as claims

    with opened() as here, here.sessions() as session:
        found = claims.show_claim(session, claim_id=claim_id, seal=here.seal)
    return found, "\n".join(f"{name}: {value}" for name, value in found.items())


@claim.command()
@click.argument("claim_id")
@accountable
@answering
def confirm(claim_id: str, who: str, why: str) -> Answer:
    """Confirm that it is them: look at the proof first."""
    from registry.cli.opening import opened
    from registry.contributors import claim as claims
    from registry.database import transaction

    with opened() as here, transaction(here.sessions) as session:
        found = claims.confirm(session, claim_id=claim_id, who=who, why=why, now=here.clock())
    return found, _claim_line(found)


@claim.command()
@click.argument("claim_id")
@accountable
@answering
def reject(claim_id: str, who: str, why: str) -> Answer:
    """Reject it; say why."""
    from registry.cli.opening import opened
    from registry.contributors import claim as claims
    from registry.database import transaction

    with opened() as here, transaction(here.sessions) as session:
        found = claims.reject(session, claim_id=claim_id, who=who, why=why, now=here.clock())
    return found, _claim_line(found)


def _claim_line(found: dict[str, Any]) -> str:
    return f"{found['id']}  {found['state']:9}  {found['identity']}"


@click.group()
def dataset() -> None:
    """What stands here."""


@dataset.command()
@click.argument("name", metavar="PUBLISHER/NAME")
@accountable
@answering
def hide(name: str, who: str, why: str) -> Answer:
    """Show a dataset no more; what it attributes goes on counting."""
    from registry.cli.opening import opened
    from registry.database import transaction
    from registry.publishing import retract

    with opened() as here, transaction(here.sessions) as session:
        retract.hide_dataset(session, dataset=name, who=who, why=why, now=here.clock())
    return {"dataset": name, "hidden": True}, f"{name} is hidden"


@dataset.command()
@click.argument("name", metavar="PUBLISHER/NAME")
@accountable
@answering
def void(name: str, who: str, why: str) -> Answer:
    """Declare that what a dataset attributes is not to be believed: it counts no more."""
    from registry.cli.opening import opened
    from registry.database import transaction
    from registry.publishing import retract

    with opened() as here, transaction(here.sessions) as session:
        versions = retract.void_dataset(session, dataset=name, who=who, why=why, now=here.clock())
    return {"dataset": name, "voided": versions}, f"{name}: voided {', '.join(versions) or 'nothing'}"


@click.command()
@answering
def conflicts() -> Answer:
    """What contradicts: an alias with two numbers, an identity two people proved. Nothing was merged."""
    from registry.cli.opening import opened
    from registry.contributors.aliases import conflicts as find

    with opened() as here, here.sessions() as session:
        found = find(session)
    return {"items": found}, "\n".join(str(one) for one in found) or "none"
