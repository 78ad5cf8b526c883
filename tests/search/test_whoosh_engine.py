from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from byline.errors import Refused, Unavailable
from search import Document, Gone, Match
from search.bulk_writer import lines_ahead
from search.opening import open_engine
from search.whoosh_engine import WhooshEngine


def test_a_url_opens_a_folder(tmp_path: Path) -> None:
    engine = open_engine(f"whoosh://{tmp_path}/an%20index")
    engine.close()
    assert (tmp_path / "an index").is_dir()


def test_another_engine_is_refused_by_name() -> None:
    with pytest.raises(Refused) as caught:
        open_engine("lucene:///tmp/x")
    assert caught.value.code == "unknown-search-engine"


def test_a_reader_sees_another_processs_commit_after_the_refresh(tmp_path: Path) -> None:
    now = [0.0]
    reader = WhooshEngine(tmp_path, refresh=1.0, clock=lambda: now[0])
    writer = WhooshEngine(tmp_path)
    writer.apply([Document(1, ("Jane Doe",))], position=1)
    before, now[0] = reader.search("jane").hits, 2.0
    after = reader.search("jane").hits
    writer.close()
    reader.close()
    assert (len(before), len(after)) == (0, 1)


def test_a_second_writer_is_told_to_come_again(tmp_path: Path) -> None:
    one, other = WhooshEngine(tmp_path), WhooshEngine(tmp_path, patience=0.1)
    with one._writing(), pytest.raises(Unavailable) as caught:
        other.apply([Document(1, ("Jane Doe",))], position=1)
    one.close()
    other.close()
    assert caught.value.code == "search-busy"


def test_the_bulk_writer_waits_for_no_other_for_ever(tmp_path: Path) -> None:
    one, other = WhooshEngine(tmp_path), WhooshEngine(tmp_path)
    with one._writing(), pytest.raises(Unavailable) as caught:
        other.apply([Document(1, ("Jane Doe",))], position=1, bulk=True)
    one.close()
    other.close()
    assert caught.value.code == "search-busy"


def test_a_bulk_writer_whose_input_is_cut_off_commits_nothing_more(tmp_path: Path) -> None:
    WhooshEngine(tmp_path).close()
    line = json.dumps([1, 3, [["jane"], [], ["x"], [], [], []]]).encode()
    cut = subprocess.run(
        [sys.executable, "-m", "search.bulk_writer", str(tmp_path)],
        input=line + b"\n",
        check=False,
        timeout=120,
    )
    engine = WhooshEngine(tmp_path)
    assert (cut.returncode, engine.position(), engine.count()) == (1, 0, 0)
    engine.close()


def test_a_line_without_its_end_is_not_a_change() -> None:
    source, told = os.pipe()
    os.write(told, b"[1,3,null]\n[2,3,null]\nend 1")
    os.close(told)
    assert list(lines_ahead(source)) == [b"[1,3,null]", b"[2,3,null]"]
    os.close(source)


def test_input_is_read_on_while_nobody_takes_it() -> None:
    source, told = os.pipe()
    lines = lines_ahead(source)
    os.write(told, b"first\n")
    assert next(lines) == b"first"
    for _ in range(100):  # 6.4 MB: a pipe alone holds 64 kB, and this would not return
        os.write(told, b"x" * 63_999 + b"\n")
    os.close(told)
    assert sum(1 for _ in lines) == 100
    os.close(source)


@pytest.mark.parametrize("again", [range(1, 400), range(5, 8)], ids=["many", "few"])
def test_what_is_indexed_again_stands_once_however_many_there_are(tmp_path: Path, again: range) -> None:
    engine = WhooshEngine(tmp_path)
    engine.apply((Document(at, (f"Person{at}",)) for at in range(200)), position=1)
    engine.apply([Gone(6), Gone(300)], position=2)
    engine.apply((Document(at, (f"Renamed{at}",)) for at in again), position=3)
    assert [hit.id for hit in engine.search("renamed5").hits if hit.match is Match.exact] == [5]
    assert not [hit for hit in engine.search("person5").hits if hit.match is Match.exact]
    assert len([hit for hit in engine.search("renamed7").hits if hit.id == 7]) == 1
    assert (engine.count(), engine.position()) == (400 if 399 in again else 200, 3)
    engine.close()


def test_a_bulk_writer_that_dies_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = WhooshEngine(tmp_path)
    monkeypatch.setattr("search.bulk.sys.executable", "/bin/false")
    with pytest.raises(Unavailable) as caught:
        engine.apply((Document(at, (f"Person{at}",)) for at in range(50_000)), position=1, bulk=True)
    assert (caught.value.code, engine.position()) == ("index-writer-died", 0)
    engine.close()


# Whoosh lets go of a torn file only when it is collected.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("broken", ["toc", "segment", "lexicon"])
def test_a_broken_index_is_begun_anew_at_zero(tmp_path: Path, broken: str) -> None:
    engine = WhooshEngine(tmp_path)
    engine.apply([Document(1, ("Jane Doe",))], position=9)
    engine.close()
    pattern = {"toc": "_MAIN_*.toc", "segment": "*.seg", "lexicon": "lexicon.sqlite"}[broken]
    for path in tmp_path.glob(pattern):
        path.write_bytes(b"\x00" * 40)
    again = WhooshEngine(tmp_path)
    assert (again.position(), again.count()) == (0, 0)
    again.close()
    gc.collect()


def test_many_small_commits_are_merged_without_touching_the_big_ones(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path)
    engine.apply((Document(at, (f"Person{at} Name",)) for at in range(200)), position=1)
    for number in range(12):
        engine.apply([Document(1000 + number, (f"Late{number} Comer",))], position=2 + number)
    before = engine.segments()
    assert engine.merge()
    assert (before, engine.segments(), engine.count()) == (13, 2, 212)
    engine.close()


def test_an_act_that_changes_no_document_makes_no_segment(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path)
    engine.apply([Document(1, ("Jane Doe",))], position=5)
    for position in range(6, 20):
        engine.apply([], position=position)
    engine.close()
    again = WhooshEngine(tmp_path)
    assert (again.segments(), again.position()) == (1, 19)
    again.close()


@pytest.mark.parametrize("torn", ["", "{", "[]", '{"after": 5}'])
def test_a_torn_note_of_what_was_passed_costs_a_second_look(tmp_path: Path, torn: str) -> None:
    engine = WhooshEngine(tmp_path)
    engine.apply([Document(1, ("Jane Doe",))], position=5)
    engine.apply([], position=9)
    (tmp_path / "passed.json").write_text(torn)
    assert engine.position() == 5
    engine.close()


def test_what_was_passed_says_nothing_of_another_commit(tmp_path: Path) -> None:
    engine = WhooshEngine(tmp_path)
    engine.apply([Document(1, ("Jane Doe",))], position=5)
    engine.apply([], position=9)
    note = (tmp_path / "passed.json").read_text()
    engine.clear()
    cleared = engine.position()
    engine.apply([Document(1, ("Jane Doe",))], position=3)
    (tmp_path / "passed.json").write_text(note)  # of an older copy
    assert (cleared, engine.position()) == (0, 3)
    engine.close()
