"""What a person may object to: our closed list as bits, and the world's vocabularies in and out.

`remove-existing` (take me out of what exists) has a word in no standard; `train-other` (recognition,
classification) has
none in AIPREF, whose `train-ai` means generative models only. What cannot be told fails closed: every bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

TRAIN_GENERATIVE = 1
TRAIN_OTHER = 2
DATA_MINING = 4
AI_SEARCH = 8
REMOVE_EXISTING = 16
ALL_USES = TRAIN_GENERATIVE | TRAIN_OTHER | DATA_MINING | AI_SEARCH
EVERYTHING = ALL_USES | REMOVE_EXISTING

CATEGORIES: Mapping[str, int] = {
    "train-generative": TRAIN_GENERATIVE,
    "train-other": TRAIN_OTHER,
    "data-mining": DATA_MINING,
    "ai-search": AI_SEARCH,
    "remove-existing": REMOVE_EXISTING,
}
_TRAINING = TRAIN_GENERATIVE | TRAIN_OTHER
_PLUS = "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"
# Labels that say "no" to something, per vocabulary, with the version they are read by.
_VOCABULARIES: Mapping[str, tuple[str, Mapping[str, int]]] = {
    "byline": ("1", {**CATEGORIES, "remove_existing": REMOVE_EXISTING}),
    # train-genai, ai-use and all stood in -02 and are still met.
    "aipref": (
        "draft-ietf-aipref-vocab-07",
        {
            "train-ai": TRAIN_GENERATIVE,
            "search": AI_SEARCH,
            "train-genai": TRAIN_GENERATIVE,
            "ai-use": ALL_USES,
            "all": ALL_USES,
        },
    ),
    "tdmrep": ("cg-final-2024-05-10", {"tdm-reservation": _TRAINING | DATA_MINING}),
    "cawg": (
        "1.1",
        {
            f"{prefix}.{label}": bit
            for prefix in ("cawg", "c2pa")
            for label, bit in (
                ("ai_generative_training", TRAIN_GENERATIVE),
                ("ai_training", TRAIN_OTHER),
                ("data_mining", DATA_MINING),
                ("ai_inference", AI_SEARCH),
            )
        },
    ),
    "plus": (
        "iptc-2023.1",
        {
            f"{_PLUS}-GENAIMLTRAINING": TRAIN_GENERATIVE,
            f"{_PLUS}-AIMLTRAINING": _TRAINING,
            f"{_PLUS}-EXCEPTSEARCHENGINEINDEXING": ALL_USES,
            _PLUS: ALL_USES,
        },
    ),
}


def bits(labels: Iterable[str], vocabulary: str = "byline") -> int:
    """Category bits of what is objected to.

    No label means every use (15); an unknown one means everything (31).
    """
    known = _VOCABULARIES.get(vocabulary, ("", {}))[1]
    found = [known.get(label, EVERYTHING) for label in labels]
    joined = 0
    for bit in found:
        joined |= bit
    return joined if found else ALL_USES


def labels(categories: int) -> list[str]:
    """Our labels of the bits set, in the order of the bits; bits beyond 31 mean everything."""
    shown = categories if 0 <= categories <= EVERYTHING else EVERYTHING
    return [label for label, bit in CATEGORIES.items() if shown & bit]


def vocabularies() -> dict[str, dict[str, object]]:
    """What `bits` reads: `{vocabulary: {"version", "labels": {label: [our labels]}}}`."""
    return {
        name: {"version": version, "labels": {label: labels(bit) for label, bit in known.items()}}
        for name, (version, known) in _VOCABULARIES.items()
    }


def to_aipref(categories: int) -> str:
    """A Content-Usage value (AIPREF -07).

    `train-ai=n` where generative training is objected to, else empty.
    """
    return "train-ai=n" if categories & TRAIN_GENERATIVE else ""


def to_tdmrep(categories: int) -> dict[str, int]:
    """A TDMRep reservation.

    Wider than what was said, since it knows only all or nothing. Empty where nothing fits.
    """
    return {"tdm-reservation": 1} if categories & (_TRAINING | DATA_MINING) else {}


def to_cawg(categories: int) -> dict[str, dict[str, str]]:
    """Entries of a `cawg.training-mining` assertion (1.1): only those objected to."""
    pairs = (
        ("cawg.data_mining", DATA_MINING),
        ("cawg.ai_inference", AI_SEARCH),
        ("cawg.ai_training", TRAIN_OTHER),
        ("cawg.ai_generative_training", TRAIN_GENERATIVE),
    )
    return {label: {"use": "notAllowed"} for label, bit in pairs if categories & bit}


def to_plus(categories: int) -> str | None:
    """A `plus:DataMining` value: the narrowest that covers what was said; None where nothing does."""
    if categories & (DATA_MINING | AI_SEARCH):
        return _PLUS if categories & AI_SEARCH else f"{_PLUS}-EXCEPTSEARCHENGINEINDEXING"
    if categories & TRAIN_OTHER:
        return f"{_PLUS}-AIMLTRAINING"
    return f"{_PLUS}-GENAIMLTRAINING" if categories & TRAIN_GENERATIVE else None
