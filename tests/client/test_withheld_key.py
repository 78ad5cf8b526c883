"""The key of withheld rows: made once, whole or not at all, for its owner only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from byline.cli.reading import withheld_key
from byline.errors import NotFound, Refused

_DIES = """
import os, signal, sys
from pathlib import Path
from byline.cli.reading import withheld_key
os.{call} = lambda *given: os.kill(os.getpid(), signal.SIGKILL)
withheld_key(Path(sys.argv[1]), made=True)
"""


def test_it_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "rows.key"
    key = withheld_key(path, made=True)
    assert (len(key), path.stat().st_mode & 0o777) == (32, 0o600)
    assert withheld_key(path, made=True) == withheld_key(path) == key
    assert [one.name for one in tmp_path.iterdir()] == ["rows.key"]


@pytest.mark.parametrize("call", ["fsync", "link"])
def test_who_is_killed_while_making_it_leaves_no_half_key(tmp_path: Path, call: str) -> None:
    path = tmp_path / "rows.key"
    died = subprocess.run([sys.executable, "-c", _DIES.format(call=call), str(path)], check=False)
    assert died.returncode == -9
    assert not path.exists()
    assert len(withheld_key(path, made=True)) == 32


def test_one_that_somebody_made_meanwhile_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real = tmp_path / "rows.key", os.link

    def link(beside: Path, wanted: Path) -> None:
        wanted.write_text("ab" * 32 + "\n")
        real(beside, wanted)

    monkeypatch.setattr(os, "link", link)
    assert withheld_key(path, made=True) == bytes.fromhex("ab" * 32)


@pytest.mark.parametrize("text", ["", "ab" * 31, "no key at all", "zz" * 32])
def test_what_is_no_key_is_said_to_be_none_and_left(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rows.key"
    path.write_text(text)
    with pytest.raises(Refused) as error:
        withheld_key(path, made=True)
    assert error.value.code == "bad-withheld-key"
    assert path.read_text() == text


def test_one_that_is_not_there_is_not_made_where_it_is_needed(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        withheld_key(tmp_path / "rows.key")
    assert not list(tmp_path.iterdir())
