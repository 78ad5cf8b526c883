"""What a look at a file's first rows tells of the rest: how many show nothing that a fingerprint may stand for."""

from __future__ import annotations

from dataclasses import dataclass

from byline.client.asking import Question
from byline.formats.publishable import row_fingerprints

MOST = 1000


@dataclass(frozen=True)
class Sampled:
    """Of `rows` rows at the start of a file, `unfit` can be in no key feed, opted out or not."""

    rows: int
    unfit: int


def sampled(question: Question) -> Sampled:
    """Look at the first rows. Photo pages, platforms' numbers and numbered files stand in no key feed."""
    urls = [column.slice(0, MOST).to_pylist() for column in question.urls]
    digests = [column.slice(0, MOST).to_pylist() for column in question.digests]
    rows = len((*urls, *digests)[0])
    unfit = sum(
        not any(row_fingerprints(column[at], None, None) for column in urls)
        and not any(row_fingerprints(None, None, column[at]) for column in digests)
        for at in range(rows)
    )
    return Sampled(rows, unfit)
