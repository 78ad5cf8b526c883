"""What every search engine must do; an engine is added to ENGINES, not to the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from search import Document, Gone, Match, SearchEngine
from search.whoosh_engine import WhooshEngine

ENGINES: dict[str, Callable[[Path], SearchEngine]] = {"whoosh": WhooshEngine}


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SearchEngine]:
    opened = ENGINES[request.param](tmp_path / "index")
    yield opened
    opened.close()


@pytest.fixture
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], SearchEngine]:
    return lambda: ENGINES["whoosh"](tmp_path / "index")


def index(engine: SearchEngine, *names: str | tuple[str, ...], first: int = 1, position: int = 1) -> None:
    engine.apply(
        (
            Document(number, (name,) if isinstance(name, str) else name)
            for number, name in enumerate(names, first)
        ),
        position=position,
    )


def found(engine: SearchEngine, text: str) -> list[int]:
    return [hit.id for hit in engine.search(text).hits]


def how(engine: SearchEngine, text: str) -> dict[int, str]:
    return {hit.id: hit.match.name for hit in engine.search(text).hits}


def test_an_empty_index_finds_nothing_and_stands_at_zero(engine: SearchEngine) -> None:
    assert (found(engine, "anybody"), engine.position(), engine.count()) == ([], 0, 0)


def test_where_nothing_else_is_found_one_rare_word_is_enough(engine: SearchEngine) -> None:
    index(engine, "Kirby, O.A.", "Oakley, Annie", "Abner, Sarah Jane")
    assert 1 in how(engine, "Kirby, Oak Abner Quentin")


def test_last_first_is_first_last(engine: SearchEngine) -> None:
    index(engine, "Cartier-Bresson, Henri", "Henri Rousseau")
    assert how(engine, "Henri Cartier-Bresson") == {1: "exact"}


def test_exact_comes_before_folded_before_prefix_before_fuzzy(engine: SearchEngine) -> None:
    index(engine, "Mullen", "Mullersen", "Müller", "Muller")
    assert how(engine, "Muller") == {4: "exact", 3: "folded", 2: "prefix", 1: "fuzzy"}
    assert found(engine, "Muller") == [4, 3, 2, 1]


def test_an_accented_query_prefers_the_accented_name(engine: SearchEngine) -> None:
    index(engine, "Muller", "Müller")
    assert how(engine, "Müller") == {2: "exact", 1: "folded"}


@pytest.mark.parametrize(
    ("written", "latin"),
    [
        ("Чайковский Пётр", "petr chaykovskiy"),
        ("Чайковский Пётр", "Tchaikovsky"),
        ("Γιώργος Παπαδόπουλος", "Giorgos Papadopoulos"),
        ("王伟", "Wang Wei"),
        ("王伟", "wangwei"),
        ("김민수", "Kim Minsu"),
        ("さとう たろう", "Sato Taro"),
        ("محمد سعيد", "Muhammad"),
        ("יוסף כהן", "Cohen"),
        ("Łucja Żak", "lucja zak"),
        ("Bjørn Ångström", "Bjorn Angstrom"),
        ("Jürgen Müller", "Juergen Mueller"),
        ("Đặng Thị Hà", "dang thi ha"),
        ("ｊａｎｅ ｄｏｅ", "Jane Doe"),
    ],
)
def test_a_name_is_found_by_its_script_and_by_latin_letters(
    engine: SearchEngine, written: str, latin: str
) -> None:
    index(engine, written, "Somebody Else")
    assert (found(engine, written), found(engine, latin)) == ([1], [1])


@pytest.mark.parametrize(
    "typo",
    [
        "Annie Liebowitz",
        "Annie Leibovitz",
        "Annie Libowitz",
        "Annie Leiboiwtz",
        "Annnie Leibowitz",
        "Leibowtz",
    ],
)
def test_one_typo_in_a_longer_word_is_forgiven(engine: SearchEngine, typo: str) -> None:
    index(engine, "Annie Leibowitz", "Annie Oakley", "Someone Other")
    assert found(engine, typo)[0] == 1


def test_short_words_are_not_guessed_at(engine: SearchEngine) -> None:
    index(engine, "Ito", "Ota")
    assert found(engine, "Iti") == []


def test_a_word_begun_is_found_as_a_prefix(engine: SearchEngine) -> None:
    index(engine, "Sebastião Salgado", "Sebastian Kneipp")
    assert how(engine, "sebastiao sal") == {1: "prefix"}


def test_a_name_that_shares_one_common_word_is_no_hit(engine: SearchEngine) -> None:
    index(engine, *(f"John Smith{chr(97 + at)}" for at in range(20)))
    assert found(engine, "John Xylophonist") == []


def test_a_handle_is_found_whole_and_by_its_words(engine: SearchEngine) -> None:
    engine.apply([Document(7, ("J. P.",), ("12345678@N00", "jenny-pics"))], position=1)
    assert [found(engine, text) for text in ("12345678@N00", "jenny-pics", "@Jenny-Pics", "jenny pics")] == [
        [7]
    ] * 4


def test_every_name_of_a_contributor_finds_them(engine: SearchEngine) -> None:
    index(engine, ("Nadar", "Gaspard-Félix Tournachon"), "Félix Vallotton")
    assert (found(engine, "Tournachon"), found(engine, "nadar")) == ([1], [1])


def test_what_pipelines_did_to_a_name_is_undone(engine: SearchEngine) -> None:
    index(
        engine,
        "Pawe\\u0142 Czartoryjski",
        "Marit &amp; Toomas",
        "Franti\x9aek Vizner",
        "<a href='x'>Mary Bell</a>",
    )
    queries = ("Paweł Czartoryjski", "Marit Toomas", "František Vizner", "Mary Bell")
    assert [found(engine, text) for text in queries] == [[1], [2], [3], [4]]


def test_a_document_replaces_the_one_of_its_id(engine: SearchEngine) -> None:
    index(engine, "Old Name")
    index(engine, "New Name", position=2)
    assert (found(engine, "Old"), found(engine, "New"), engine.count()) == ([], [1], 1)


def test_a_change_given_twice_in_one_stream_counts_once_as_it_was_last(engine: SearchEngine) -> None:
    engine.apply([Document(1, ("First",)), Document(1, ("Second",))], position=1)
    assert (found(engine, "First"), found(engine, "Second"), engine.count()) == ([], [1], 1)


def test_what_is_gone_is_found_no_more(engine: SearchEngine) -> None:
    index(engine, "Here Now", "Still Here")
    engine.apply([Gone(1), Gone(99)], position=2)
    assert (found(engine, "here"), engine.count()) == ([2], 1)


def test_the_position_is_kept_with_the_commit(
    engine: SearchEngine, reopen: Callable[[], SearchEngine]
) -> None:
    index(engine, "A Name", position=41)
    engine.apply([], position=42)
    again = reopen()
    assert (again.position(), again.count()) == (42, 1)
    again.close()


def test_in_bulk_it_is_the_same_index(engine: SearchEngine, reopen: Callable[[], SearchEngine]) -> None:
    index(engine, "Old Name", "Gone Soon")
    changes: list[Document | Gone] = [
        Document(1, ("New Name",)),
        Gone(2),
        *(Document(at, (f"Person{at} Naïve",), (f"{at}@N00",)) for at in range(3, 60)),
    ]
    assert engine.apply(changes, position=7, bulk=True) == len(changes)
    assert (found(engine, "Old"), found(engine, "New"), found(engine, "soon")) == ([], [1], [])
    assert (found(engine, "person42 naive")[0], found(engine, "42@N00")) == (42, [42])
    again = reopen()
    assert (again.position(), again.count()) == (7, 58)
    again.close()


def test_a_bulk_that_breaks_leaves_everything_where_it_was(engine: SearchEngine) -> None:
    index(engine, "A Name", position=5)

    def broken() -> Iterator[Document]:
        for at in range(2, 5_000):
            yield Document(at, (f"Another{at}",))
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        engine.apply(broken(), position=6, bulk=True)
    assert (engine.position(), found(engine, "A Name"), engine.count()) == (5, [1], 1)
    engine.apply([Document(2, ("Another2",))], position=6, bulk=True)
    assert (engine.position(), engine.count()) == (6, 2)


@pytest.mark.parametrize("bulk", [False, True])
def test_a_stream_that_breaks_leaves_the_position_where_it_was(engine: SearchEngine, *, bulk: bool) -> None:
    index(engine, "A Name", position=5)

    def broken() -> Iterator[Document]:
        yield Document(2, ("Another",))
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        engine.apply(broken(), position=6, bulk=bulk)
    assert (engine.position(), found(engine, "A Name")) == (5, [1])


def test_merging_changes_no_answer(engine: SearchEngine) -> None:
    for number in range(1, 7):
        index(engine, f"Person Number{number}", "Same Name", first=number * 2, position=number)
    before = found(engine, "Same Name")
    engine.merge()
    assert (found(engine, "Same Name"), engine.position(), engine.count()) == (before, 6, 12)


def test_clearing_forgets_everything(engine: SearchEngine) -> None:
    index(engine, "A Name", position=5)
    engine.clear()
    assert (found(engine, "A Name"), engine.position(), engine.count()) == ([], 0, 0)
    index(engine, "A Name")
    assert found(engine, "A Name") == [1]


def test_the_limit_keeps_the_heaviest_and_says_that_there_is_more(engine: SearchEngine) -> None:
    engine.apply((Document(at, ("Jo Smith",), weight=at % 7) for at in range(1, 21)), position=1)
    answer = engine.search("smith", limit=2)
    assert ({hit.id for hit in answer.hits}, answer.more) == ({6, 13}, True)


@pytest.mark.parametrize(
    "text", ["", "   ", "…", "'", "\x00", "((((", "*", "a" * 5000, "AND OR NOT", "\ud800", "?[x", "💥"]
)
def test_no_text_is_an_error(engine: SearchEngine, text: str) -> None:
    index(engine, "A Name")
    assert all(hit.match in Match for hit in engine.search(text).hits)
