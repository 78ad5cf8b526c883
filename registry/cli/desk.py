"""operator, report: who may open the operator's pages, and what visitors told."""

from __future__ import annotations

import secrets
from typing import Any

import click

from registry.cli.answer import accountable, answering

Answer = tuple[Any, str]
_WHO = click.option("--by", "who", required=True, help="Who it is: their acts are kept under this name.")


@click.group()
def operator() -> None:
    """The operator's pages at /operator: let somebody in, or out."""


@operator.command("sign-in")
@_WHO
@answering
def sign_in(who: str) -> Answer:
    """Give a code for /operator; it works once, for 15 minutes."""
    from registry.cli.opening import opened
    from registry.database import transaction
    from registry.operators.signing_in import give_code

    with opened() as here, transaction(here.sessions) as session:
        code = give_code(session, who=who, now=here.clock(), token_urlsafe=lambda: secrets.token_urlsafe(32))
        address = f"{here.settings.public_url.rstrip('/')}/operator"
    return {"who": who, "code": code, "url": address}, f"{address}\ncode: {code}"


@operator.command("sign-out")
@_WHO
@answering
def sign_out(who: str) -> Answer:
    """End every session of somebody, and every code that was given them."""
    from registry.cli.opening import opened
    from registry.database import transaction
    from registry.operators.signing_in import end_all

    with opened() as here, transaction(here.sessions) as session:
        ended = end_all(session, who=who, now=here.clock())
    return {"who": who, "ended": ended}, f"{who}: {ended} ended"


@operator.command()
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
@answering
def trail(limit: int) -> Answer:
    """What was decided here, who, and why; the newest first."""
    from registry.cli.opening import opened
    from registry.operators.trail import acts

    with opened() as here, here.sessions() as session:
        found = acts(session, limit=limit)
    lines = [
        f"{a['at']:%Y-%m-%d %H:%M}  {a['who']:16} {a['what']:22} {a['subject']}  {a['why']}" for a in found
    ]
    return {"items": found}, "\n".join(lines) or "nothing yet"


@click.group()
def report() -> None:
    """What visitors say is wrong: not mine, not me, wording."""


@report.command("list")
@answering
def list_reports() -> Answer:
    """Open reports, the oldest first."""
    from registry.cli.opening import opened
    from registry.operators.reports import open_reports

    with opened() as here, here.sessions() as session:
        found = open_reports(session, seal=here.seal, limit=100)
    lines = [f"{r['id']}  {r['kind']:9} {r['subject']}  {r['email'] or '-'}\n  {r['text']}" for r in found]
    return {"items": found}, "\n".join(lines) or "none"


@report.command()
@click.argument("report_id", type=int)
@accountable
@answering
def close(report_id: int, who: str, why: str) -> Answer:
    """Say that it is dealt with; what was written is erased."""
    from registry.cli.opening import opened
    from registry.database import transaction
    from registry.operators.reports import close_report

    with opened() as here, transaction(here.sessions) as session:
        close_report(session, report_id=report_id, who=who, why=why, now=here.clock())
    return {"id": report_id, "closed": True}, f"{report_id} is closed"
