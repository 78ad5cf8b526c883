"""What stands in memory is what stands in the tables, however it was read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from byline.formats.selectors import fingerprint
from registry.models import CoveredPhoto
from registry.optouts import standing_keys as kept
from tests.registry.optouts.small_registry import Line, SmallRegistry, small_registry, static

ME, DIGEST = "flickr:12345678@N00", "ab" * 32


@pytest.fixture
def here(tmp_path: Path) -> Iterator[SmallRegistry]:
    with small_registry(tmp_path) as registry:
        registry.publisher("museum")
        lines = [Line(makers=(ME,), photos=(f"flickr:{n}",), url=static(n)) for n in range(101, 108)]
        registry.publish("museum/a", "1", lines)
        yield registry


def test_keys_are_read_at_once_in_stretches_and_as_they_come(
    here: SmallRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    with here.sessions() as session:
        before = kept.standing_keys(session)  # nothing yet: what follows is read as it came
    assert (before.shown.tolist(), before.beside.tolist()) == ([], [])
    here.opt_out(ME)
    here.opt_out_items("photo:flickr:900", "photo:flickr:901")
    here.opt_out_items(f"sha256:{DIGEST}")
    with here.sessions() as session:
        covered = set(session.scalars(select(CoveredPhoto.k)))
        came = kept.standing_keys(session)
        kept._known.clear()
        at_once = kept.standing_keys(session)
        kept._known.clear()
        monkeypatch.setattr(kept, "_AT_ONCE", 2)
        stretches = kept.standing_keys(session)
    photos = {fingerprint("photo", f"flickr:{n}") for n in (900, 901)}
    assert len(covered) == 7
    for found in (came, at_once, stretches):
        assert found.shown.tolist() == sorted(covered | photos)
        assert found.beside.tolist() == sorted(
            {fingerprint("sha256", DIGEST)} | {fingerprint("photo2", f"flickr:{n}") for n in (900, 901)}
        )
