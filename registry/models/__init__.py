"""The tables: constraints, no behaviour. One file a subject."""

from __future__ import annotations

from registry.models.base import Base, Timestamp
from registry.models.claims import Claim, MailSession, MailToken, OperatorAct, Proof
from registry.models.contributors import AliasLink, Contributor, ContributorCount, ContributorName, Suggestion
from registry.models.datasets import Dataset, DerivedFrom, ExtractPart, Manifest, ManifestFile, Submission
from registry.models.feed import WithdrawnKey, WithdrawnRows
from registry.models.jobs import IdempotentAnswer, Job
from registry.models.moves import Moved
from registry.models.notices import Answer, Delivery, Notice, NoticeEvent, Receiver
from registry.models.operators import OperatorSession, Report
from registry.models.optouts import (
    CoveredPhoto,
    Fingerprint,
    Match,
    MatcherState,
    OptOut,
    OptOutClaim,
    OptOutMaker,
    OptOutScope,
    OptOutSelector,
)
from registry.models.publishers import Publisher, PublisherKey, Statement, SubjectHead
from registry.models.records import item_key, items_metadata
from registry.models.tlog import Act, FeedHead, Follower, LogState, SignedCheckpoint
from registry.models.tombstones import Tombstone
from registry.models.watches import Watch, WatchEvent

__all__ = [
    "Act",
    "AliasLink",
    "Answer",
    "Base",
    "Claim",
    "Contributor",
    "ContributorCount",
    "ContributorName",
    "CoveredPhoto",
    "Dataset",
    "Delivery",
    "DerivedFrom",
    "ExtractPart",
    "FeedHead",
    "Fingerprint",
    "Follower",
    "IdempotentAnswer",
    "Job",
    "LogState",
    "MailSession",
    "MailToken",
    "Manifest",
    "ManifestFile",
    "Match",
    "MatcherState",
    "Moved",
    "Notice",
    "NoticeEvent",
    "OperatorAct",
    "OperatorSession",
    "OptOut",
    "OptOutClaim",
    "OptOutMaker",
    "OptOutScope",
    "OptOutSelector",
    "Proof",
    "Publisher",
    "PublisherKey",
    "Receiver",
    "Report",
    "SignedCheckpoint",
    "Statement",
    "SubjectHead",
    "Submission",
    "Suggestion",
    "Timestamp",
    "Tombstone",
    "Watch",
    "WatchEvent",
    "WithdrawnKey",
    "WithdrawnRows",
    "item_key",
    "items_metadata",
]
