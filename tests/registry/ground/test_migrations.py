from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

from registry.database import alembic_config, make_engine, migrate
from registry.models import Base


@pytest.fixture
def empty(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


def run(engine: Engine, direction: str, revision: str) -> None:
    with engine.connect().execution_options(byline_writes=True) as connection, connection.begin():
        getattr(command, direction)(alembic_config(connection), revision)


def test_the_migrated_tables_are_the_models(empty: Engine) -> None:
    migrate(empty)
    with empty.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_every_step_goes_down_and_up_again(empty: Engine) -> None:
    revisions = [
        script.revision for script in ScriptDirectory.from_config(alembic_config(None)).walk_revisions()
    ]
    migrate(empty)
    for _ in revisions:
        run(empty, "downgrade", "-1")
        run(empty, "upgrade", "+1")
        run(empty, "downgrade", "-1")
    assert inspect(empty).get_table_names() == ["alembic_version"]
    migrate(empty)
    assert set(inspect(empty).get_table_names()) == {*Base.metadata.tables, "alembic_version"}


def test_migrating_again_changes_nothing(empty: Engine) -> None:
    migrate(empty)
    before = inspect(empty).get_table_names()
    migrate(empty)
    assert inspect(empty).get_table_names() == before


def test_every_constraint_has_a_name(empty: Engine) -> None:
    migrate(empty)
    found = inspect(empty)
    unnamed = [
        table
        for table in Base.metadata.tables
        for constraint in (
            found.get_pk_constraint(table),
            *found.get_foreign_keys(table),
            *found.get_unique_constraints(table),
        )
        if constraint.get("name") is None
        and (constraint.get("constrained_columns") or constraint.get("column_names"))
    ]
    assert unnamed == []
