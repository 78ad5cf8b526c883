"""One JSON document that holds records: COCO's `images`, FFHQ's object of objects. Read as it streams by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from byline.formats.numbered import Limits, NumberedBatch, ReadOptions


def read_document(source: BinaryIO, options: ReadOptions, limits: Limits) -> Iterator[NumberedBatch]:
    """Number the records of a JSON document."""
    raise NotImplementedError
