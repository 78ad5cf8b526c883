"""Alembic's entry: on the connection registry.database.migrate gives; by hand on the settings' database."""

from __future__ import annotations

import os

from alembic import context
from sqlalchemy import Connection

from registry.config import load
from registry.database import make_engine
from registry.models import Base


def run(connection: Connection) -> None:
    # batch: SQLite alters a table by making it again
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        include_name=lambda name, kind, _: kind != "table" or name != "item_key",
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    engine = make_engine(load(os.environ).database_url)
    with engine.connect().execution_options(byline_writes=True) as by_hand, by_hand.begin():
        run(by_hand)
    engine.dispose()
