"""Tools nobody here wrote read our logs, and make our proofs: Go's sumdb, from Debian's packages where they are installed."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest

from byline.formats import merkle, note
from byline.formats.tiles import node_reader
from registry.tlog import shelf
from tests.registry.tlog.keeper import KEY, ORIGIN, Keeper

SOURCE = Path(__file__).with_name("outsiders") / "verify.go"
GOPATH = Path("/usr/share/gocode")
HERE = shutil.which("go") is not None and (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir()
WHY = "needs Go and its mod packages (Debian: golang-go golang-golang-x-mod-dev)"


@pytest.fixture(scope="session")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, built."""
    if not HERE:
        pytest.skip(WHY)
    folder = tmp_path_factory.mktemp("go")
    environment = {
        **os.environ, "GO111MODULE": "off", "GOPATH": str(GOPATH), "GOCACHE": str(folder / "cache"), "GOFLAGS": "",
    }  # fmt: skip
    subprocess.run(
        ["go", "build", "-o", str(folder / "verify"), str(SOURCE)], check=True, env=environment, timeout=300
    )
    return folder / "verify"


def written(keeper: Keeper, folder: Path) -> Path:
    """The log's files in a folder, as a mirror has them."""
    for key in keeper.store.list("log/"):
        target = folder / key
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(keeper.store.get(key))
    return folder / "log"


def said(verifier: Path, log: Path) -> subprocess.CompletedProcess[str]:
    """What the program makes of a log."""
    command = [str(verifier), str(log), note.vkey(ORIGIN, KEY.public)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    "sizes", [(1,), (2,), (255,), (256,), (200, 57), (65_536,), (65_000, 537), (70_000,)]
)
def test_gos_sumdb_reads_our_logs_and_makes_our_proofs(
    small: Keeper, verifier: Path, tmp_path: Path, sizes: tuple[int, ...]
) -> None:
    for count in sizes:
        small.add_many(count)
        small.settle()
    size = sum(sizes)
    done = said(verifier, written(small, tmp_path))
    *proofs, last = done.stdout.splitlines()
    assert (done.returncode, last) == (0, f"OK {size}")
    read = node_reader(size, partial(shelf.read_tiles, small.store))
    for line in proofs:
        kind, at, *hashes = line.split()
        ours = (
            merkle.inclusion_proof(int(at), size, read)
            if kind == "record"
            else merkle.consistency_proof(int(at), size, read)
        )
        assert [base64.b64encode(one).decode() for one in ours] == hashes


@pytest.mark.parametrize("name", ["tile/0/000.p/44", "tile/entries/000.p/44", "checkpoint"])
def test_gos_sumdb_refuses_a_flipped_bit(small: Keeper, verifier: Path, tmp_path: Path, name: str) -> None:
    small.add_many(44)
    small.settle()
    log = written(small, tmp_path)
    data = bytearray((log / name).read_bytes())
    data[40] ^= 1
    (log / name).write_bytes(bytes(data))
    assert said(verifier, log).returncode == 1
