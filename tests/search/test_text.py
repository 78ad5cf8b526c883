from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from search.text import chunks, clean, deletions, one_typo, piece, sound

WORDS = st.text(alphabet="abcd", max_size=7)


def distance(one: str, other: str) -> int:
    """Optimal string alignment, as textbooks have it."""
    table = [[max(i, j) if 0 in (i, j) else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            swap = i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]
            table[i][j] = min(
                table[i - 1][j] + 1,
                table[i][j - 1] + 1,
                table[i - 1][j - 1] + (one[i - 1] != other[j - 1]),
                table[i - 2][j - 2] + 1 if swap else 99,
            )
    return table[-1][-1]


@given(WORDS, WORDS)
def test_one_typo_is_an_edit_distance_of_one(one: str, other: str) -> None:
    assert one_typo(one, other) == (distance(one, other) == 1)


@given(WORDS, WORDS)
def test_words_one_typo_apart_meet_in_a_deletion(one: str, other: str) -> None:
    if one_typo(one, other):
        assert {one, *deletions(one)} & {other, *deletions(other)}


@given(st.text())
def test_any_text_can_be_cleaned_and_taken_apart(text: str) -> None:
    assert all(part.written for pieces in chunks(text) for part in pieces)
    assert len(clean(text)) < 20 * len(text) + 1


@given(st.text(alphabet=string.ascii_lowercase + "åøüłżñ", min_size=1))
def test_folding_is_idempotent(text: str) -> None:
    folded = piece(text).folded
    assert piece(folded).folded == folded


def test_a_chunk_keeps_its_pieces_together() -> None:
    shown = [[part.written for part in pieces] for pieces in chunks("Jean-Luc O’Hara, G.E.L. (studio)")]
    assert shown == [["jean", "luc"], ["o", "hara"], ["g", "e", "l"], ["studio"]]


def test_han_and_hangul_are_read_by_syllables() -> None:
    assert (piece("王伟").syllables, piece("김민수").syllables) == (("wang", "wei"), ("gim", "min", "su"))


def test_spellings_of_one_sound_meet() -> None:
    pairs = [("tchaikovsky", "chaykovskiy"), ("angelika", "angelica"), ("mueller", "muller"), ("kim", "gim")]
    assert all(sound(one) == sound(other) for one, other in pairs)
