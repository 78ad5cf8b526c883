"""Every bad input of tests/bad_inputs is answered with its own stable code, and nothing that was there is lost."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from byline.errors import BylineError
from byline.formats.envelope import open_envelope
from byline.formats.records import ReadOptions, read_records
from registry.models import Act, Contributor, ContributorCount, Dataset, Manifest, PublisherKey
from registry.models import Statement as StatementRow
from registry.publishing import queries
from tests.bad_inputs.make_bad_inputs import HERE, expected, make, prepared
from tests.registry.publishing.desk import Desk, Registry, registry_in

ALL = expected()
COUNTED = (Act, Contributor, ContributorCount, Dataset, Manifest, PublisherKey, StatementRow)
SHOWN = "lumen-labs/street-portraits"


def of(kind: str) -> pytest.MarkDecorator:
    """The inputs of one folder, each a test with its own name."""
    found = [one for one in ALL if one["file"].startswith(f"{kind}/")]
    return pytest.mark.parametrize("bad", found, ids=[Path(one["file"]).name for one in found])


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One registry for all of them: each must leave it as it was."""
    with registry_in(tmp_path_factory.mktemp("bad") / "data", ingest_memory=256 << 20) as registry:
        yield prepared(registry)


def counts(registry: Registry) -> list[int]:
    with registry.sessions() as session:
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in COUNTED]


def shown(registry: Registry) -> dict[str, Any]:
    with registry.sessions() as session:
        return queries.dataset(session, SHOWN)


@of("manifests")
def test_a_bad_manifest_is_refused_on_arrival(standing: Desk, bad: Mapping[str, Any]) -> None:
    data = (HERE / bad["file"]).read_bytes()
    before = counts(standing.registry), shown(standing.registry)
    with pytest.raises(BylineError) as error:
        standing.submit(gzip.decompress(data) if bad["file"].endswith(".gz") else data)
    assert error.value.code == bad["code"]
    assert (counts(standing.registry), shown(standing.registry)) == before


@of("extracts")
def test_a_bad_extract_ends_its_submission(standing: Desk, bad: Mapping[str, Any]) -> None:
    registry = standing.registry
    before, page = counts(registry), shown(registry)
    submission = standing.submit((HERE / bad["manifest"]).read_bytes())
    standing.put(submission, (HERE / bad["file"]).read_bytes())
    registry.ingest(submission)
    view = registry.view(submission)
    if bad["code"] is None:
        assert (view["state"], view["errors"]) == ("published", [])
        return
    assert (view["state"], view["errors"][0]["code"]) == ("refused", bad["code"])
    # The dataset's bare name stays; a refused version leaves nothing else.
    after = counts(registry)
    assert [after[at] - before[at] for at, table in enumerate(COUNTED) if table is not Dataset] == [0] * 6
    assert shown(registry) == page


@of("files")
def test_a_bad_file_is_refused_or_its_row_is_named(bad: Mapping[str, Any]) -> None:
    options = ReadOptions(format=bad["format"], columns=bad["columns"])
    found: list[tuple[str, int | None]] = []
    try:
        with (HERE / bad["file"]).open("rb") as source:
            found = [(one.code, one.row) for batch in read_records(source, options) for one in batch.bad]
    except BylineError as error:
        found.append((error.code, None))
    assert found[0] == (bad["code"], bad.get("row"))


def test_every_file_of_the_folder_has_its_code() -> None:
    named = {one["file"] for one in ALL} | {one["manifest"] for one in ALL if "manifest" in one}
    there = {
        str(path.relative_to(HERE))
        for kind in ("manifests", "extracts", "files")
        for path in (HERE / kind).iterdir()
    }
    assert there == named


def test_the_script_still_makes_them(tmp_path: Path) -> None:
    with registry_in(tmp_path / "data", ingest_memory=256 << 20) as registry:
        assert make(tmp_path / "again", registry) == ALL


def test_there_are_enough_of_them() -> None:
    assert len(ALL) >= 25


def test_the_envelopes_differ() -> None:
    """A script that signs the same thing twice would test nothing."""
    digests = []
    for one in ALL:
        try:
            digests.append(open_envelope((HERE / one.get("manifest", one["file"])).read_bytes()).sha256)
        except BylineError:
            continue
    assert len(set(digests)) == len(digests)
    assert json.loads((HERE / "expected.json").read_text())
