"""What an opt-out can show, with the publishers' signed statements as this registry holds them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from registry.config import Settings
from registry.optouts.cover import Complaints
from registry.optouts.dossier import dossier
from registry.publishing.queries import statement_envelope
from registry.storage import ObjectStore


def evidence_zip(
    session: Session, *, store: ObjectStore, settings: Settings, vkey: str, opt_out_id: str, token: str
) -> bytes:
    """`registry.optouts.dossier.dossier` of this registry."""
    return dossier(
        session,
        store=store,
        opt_out_id=opt_out_id,
        token=token,
        statement=lambda digest: statement_envelope(session, store=store, digest=digest),
        complaints=Complaints(settings.origin, settings.operator_name, settings.operator_contact),
        vkey=vkey,
    )
