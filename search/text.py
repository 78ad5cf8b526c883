"""Names to words: one form as it was written, one folded to Latin, and the keys by which near words meet.

Folding is NFKC, case folding, then anyascii (which reaches Latin from Cyrillic, Greek, Han, Kana, Hangul,
Arabic, Hebrew and more). Han and Hangul are read syllable by syllable, so that `Wang Wei`, `wangwei` and
`王伟` meet.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from anyascii import anyascii

LONGEST_TEXT = 1000  # characters read of one name or query; real credits reach a few hundred
LONGEST_WORD = 64

_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_TAG = re.compile(r"<[^<>]{0,500}>")
_C1 = re.compile("[\x80-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_INNER = re.compile(r"['.\-]+")
_NOT_LATIN = re.compile(r"[^a-z0-9]+")
_SYLLABLE = re.compile(r"[A-Z]?[a-z0-9]+")
_APOSTROPHES = "'\u2019\u2018\u02bc\u02bb\u0060\u00b4\u2032"
_DASHES = "-\u2010\u2011\u2012\u2013\u00ad"


class _Separators(dict[int, str | int | None]):
    """A str.translate table made as needed: what parts words becomes a space."""

    def __missing__(self, code: int) -> str | int:
        char = chr(code)
        if char in _APOSTROPHES:
            kept: str | int = "'"
        elif char in _DASHES:
            kept = "-"
        elif char == ".":
            kept = "."
        elif unicodedata.category(char)[0] in "PSZC":
            kept = " "
        else:
            kept = code
        self[code] = kept
        return kept


_SEPARATORS = _Separators()


@dataclass(frozen=True)
class Piece:
    """One word: as written (case folded), folded to Latin, its syllables where the script has them."""

    written: str
    folded: str
    syllables: tuple[str, ...]


def clean(text: str) -> str:
    """Undo what careless pipelines did to a name: escapes as text, entities, markup, CP1252 controls."""
    text = text[:LONGEST_TEXT]
    if "\\" in text:
        text = _ESCAPE.sub(lambda found: chr(int(found[1] or found[2], 16)), text)
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    if text.isascii():
        return text
    text = _C1.sub(_from_cp1252, text)  # `Franti\x9aek`
    return unicodedata.normalize("NFKC", _SURROGATE.sub("", text))


def _from_cp1252(found: re.Match[str]) -> str:
    return found[0].encode("latin-1").decode("cp1252", errors="replace")


def chunks(text: str) -> Iterator[tuple[Piece, ...]]:
    """Give what stands between spaces, each as its pieces: `Jean-Luc O'Hara` -> (jean, luc), (o, hara)."""
    plain = clean(text).casefold()
    if not plain.isascii():
        plain = unicodedata.normalize("NFKC", plain)
    for chunk in plain.translate(_SEPARATORS).split():
        if chunk.isalnum():  # one word, as nearly all are
            yield (piece(chunk[:LONGEST_WORD]),)
            continue
        pieces = tuple(piece(part[:LONGEST_WORD]) for part in _INNER.split(chunk) if part)
        kept = tuple(part for part in pieces if part.folded or part.written)
        if kept:
            yield kept


@lru_cache(maxsize=65536)
def piece(written: str) -> Piece:
    """Fold one case-folded word."""
    if written.isascii():
        return Piece(written, written, (written,))
    spelt = anyascii(written.replace("\u03bf\u03c5", "ou"))  # Greek omicron-upsilon is one sound
    folded = _NOT_LATIN.sub("", spelt.lower())
    syllables = tuple(part.lower() for part in _SYLLABLE.findall(spelt)) if _has_syllables(written) else ()
    return Piece(written, folded, syllables if len(syllables) > 1 else (folded,))


def _has_syllables(written: str) -> bool:
    return any(
        "\u3400" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7a3" or char >= "\U00020000"
        for char in written
    )


def joined(pieces: tuple[Piece, ...]) -> str:
    """Give the chunk's Latin letters without what stood between: `O'Hara` -> ohara, `G.E.L.` -> gel."""
    return "".join(part.folded for part in pieces)[:LONGEST_WORD]


def is_abjad(written: str) -> bool:
    """Whether the script leaves vowels out (Arabic, Hebrew), so that only consonants can be compared."""
    return not written.isascii() and any(
        "\u0590" <= char <= "\u08ff" or "\ufb1d" <= char <= "\ufefc" for char in written
    )


def deletions(word: str) -> Iterator[str]:
    """Give the word with each one letter left out: where two words one typo apart meet."""
    for at in range(len(word)):
        if at == 0 or word[at] != word[at - 1]:
            yield word[:at] + word[at + 1 :]


def one_typo(one: str, other: str) -> bool:
    """Whether one insertion, deletion, substitution or swap of neighbours turns one word into the other."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    at = 0
    while at < min(len(one), len(other)) and one[at] == other[at]:
        at += 1
    if len(one) > len(other):
        return one[at + 1 :] == other[at:]
    if len(other) > len(one):
        return one[at:] == other[at + 1 :]
    return one[at + 1 :] == other[at + 1 :] or (
        one[at : at + 2] == other[at : at + 2][::-1] and one[at + 2 :] == other[at + 2 :]
    )


# Spellings of one sound across languages, longest first: Tchaikovsky / Chaykovskiy, Angelika / Angelica,
# Mueller / Muller.
_SOUNDS = (
    "tsch k, dsch k, tch k, sch s, ck k, ch k, kh k, gh g, sh s, sz s, cz k, ph f, th t, dh d, bh b, tz s, "
    "ts s, zh s, ij i, ae a, oe o, ue u, ou u, oo u, ee i, ie i, ei i, ai i, ay i, ey i, x ks, q k, c k, "
    "g k, w f, v f, z s, y i, j i"
)
_SOUND_OF = dict(pair.split() for pair in _SOUNDS.split(", "))
_SOUND = re.compile("|".join(_SOUND_OF))
_DOUBLE = re.compile(r"(.)\1+")
_VOWELS = re.compile(r"[aeiouyw`']+")


def sound(word: str) -> str:
    """Give one key for the spellings of one sound; too short a word has none (empty)."""
    if len(word) < 3 or word.isdigit():
        return ""
    return _DOUBLE.sub(r"\1", _SOUND.sub(lambda found: _SOUND_OF[found[0]], word))


def consonants(word: str) -> str:
    """Give what an abjad writes of a word: `muhammad` and `mhmd` -> mhmd. Empty where little is left."""
    kept = _DOUBLE.sub(r"\1", _VOWELS.sub("", word))
    return kept if len(kept) >= 2 else ""
