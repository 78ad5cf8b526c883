"""The figures of a publisher's record and of all publishers together."""

from __future__ import annotations

import marshmallow as ma

from api.schemas import Count, Strict, When


class NoticeFigures(Strict):
    """How many notices were made, and what became of them."""

    made = Count(required=True)
    delivered = Count(required=True, metadata={"description": "Proved to have arrived"})
    answered = Count(required=True)
    gone = Count(
        required=True, metadata={"description": "A newer version shows that no row of theirs is left"}
    )
    silent = Count(required=True, metadata={"description": "Unanswered though the time for it is over"})
    withdrawn = Count(required=True)


class AnswerTime(Strict):
    """Whole seconds from the delivery to the first answer, nearest rank."""

    median = ma.fields.Integer(required=True)
    p90 = ma.fields.Integer(required=True)


class Exempted(Strict):
    """A reason not to comply, as the publisher wrote it."""

    reason = ma.fields.String(required=True)
    notices = ma.fields.Integer(required=True)


class Figures(Strict):
    """Added up from datasets with at least `threshold` such notices, so that nobody can be found by subtracting."""

    as_of = When(required=True)
    threshold = ma.fields.Integer(required=True, metadata={"description": "A smaller count reads `<10`"})
    answer_within_days = ma.fields.Integer(required=True)
    notices = ma.fields.Nested(NoticeFigures, required=True)
    answer_time = ma.fields.Nested(AnswerTime, required=True, allow_none=True)
    silent_since = ma.fields.String(
        required=True, allow_none=True,
        metadata={"format": "date", "description": "When the oldest of them was to be answered"},
    )  # fmt: skip
    exempted = ma.fields.List(ma.fields.Nested(Exempted), required=True)
