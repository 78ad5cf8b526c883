from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byline.formats import categories


@given(st.sets(st.sampled_from(sorted(categories.CATEGORIES)), min_size=1))
def test_labels_survive_their_bits(said: set[str]) -> None:
    assert set(categories.labels(categories.bits(said))) == said


@given(st.integers(1, 31))
def test_bits_survive_their_labels(bits: int) -> None:
    assert categories.bits(categories.labels(bits)) == bits


@given(
    st.text(max_size=20).filter(lambda text: text not in categories.CATEGORIES and text != "remove_existing")
)
def test_an_unknown_label_means_everything(label: str) -> None:
    assert categories.bits(["train-other", label]) == categories.EVERYTHING


def test_an_unknown_vocabulary_means_everything() -> None:
    assert categories.bits(["train-ai"], "aipref-of-tomorrow") == categories.EVERYTHING


def test_no_label_means_every_use() -> None:
    assert categories.bits([]) == 15


@pytest.mark.parametrize(
    ("vocabulary", "label", "bits"),
    [
        ("aipref", "train-ai", 1),
        ("tdmrep", "tdm-reservation", 7),
        ("cawg", "cawg.ai_training", 2),
        ("cawg", "c2pa.ai_generative_training", 1),
        ("plus", "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING", 3),
    ],
)
def test_other_vocabularies_are_read(vocabulary: str, label: str, bits: int) -> None:
    assert categories.bits([label], vocabulary) == bits


def test_the_case_of_diversity_in_faces_has_no_word_in_aipref() -> None:
    assert categories.to_aipref(categories.TRAIN_OTHER) == ""
    assert categories.to_cawg(categories.TRAIN_OTHER) == {"cawg.ai_training": {"use": "notAllowed"}}
    assert (
        categories.to_plus(categories.TRAIN_OTHER)
        == "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING"
    )


@given(st.integers(1, 15))
def test_nothing_written_out_is_narrower_than_what_was_said(bits: int) -> None:
    plus = categories.to_plus(bits)
    assert plus is not None
    if not bits & categories.DATA_MINING:
        assert categories.bits([plus], "plus") & bits == bits
    cawg = categories.to_cawg(bits)
    assert categories.bits(cawg, "cawg") == bits


def test_removal_alone_has_a_word_in_no_standard() -> None:
    bits = categories.REMOVE_EXISTING
    assert (
        categories.to_aipref(bits),
        categories.to_tdmrep(bits),
        categories.to_cawg(bits),
        categories.to_plus(bits),
    ) == ("", {}, {}, None)


def test_every_vocabulary_says_its_version() -> None:
    told = categories.vocabularies()
    assert set(told) == {"byline", "aipref", "tdmrep", "cawg", "plus"}
    assert all(one["version"] and one["labels"] for one in told.values())
