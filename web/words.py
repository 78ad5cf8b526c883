"""The vocabularies of manifests, opt-outs and notices in plain words; a label nobody translated is shown as it is."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from byline.formats.platforms import BY_NAME

# Purposes and annotation categories that a reader should not miss.
GRAVE = frozenset(
    {
        "face-recognition",
        "face-analysis",
        "person-tracking",
        "surveillance",
        "biometric",
        "demographic",
        "identity",
        "emotion",
        "health",
    }
)
UNSTATED = "not-stated"
PLAIN = {
    UNSTATED: "not stated",
    # purposes
    "face-recognition": "recognising faces",
    "face-analysis": "analysing faces",
    "person-tracking": "tracking people",
    "surveillance": "surveillance",
    "classification": "telling kinds of things apart",
    "object-detection": "finding objects in pictures",
    "segmentation": "cutting pictures into parts",
    "pose-estimation": "reading body poses",
    "captioning": "describing pictures in words",
    "retrieval": "searching pictures",
    "image-text-pretraining": "teaching machines pictures and words together",
    "generative-training": "making new pictures",
    "text-recognition": "reading text in pictures",
    "medical": "medicine",
    "geolocation": "telling where a picture was taken",
    "evaluation": "testing machines",
    "research": "research",
    "archive": "archiving",
    # access
    "open": "anybody",
    "registration": "whoever registers",
    "research-only": "researchers only",
    "on-request": "whoever asks and is let in",
    "commercial": "whoever pays",
    "internal": "the publisher only",
    "discontinued": "nobody any more (copies may be about)",
    # what was added to the pictures
    "biometric": "body measures",
    "demographic": "age, sex or origin",
    "identity": "who is in it",
    "emotion": "feelings",
    "health": "health",
    "location": "places",
    "pose": "body poses",
    "caption": "descriptions",
    "label": "labels",
    "region": "marked regions",
    "transcript": "transcripts",
    "quality": "quality marks",
    # consent
    "yes": "yes",
    "no": "no",
    "partly": "some of them",
    "by-request": "if they ask",
    # platforms
    "flickr": "Flickr",
    "unsplash": "Unsplash",
    "commons": "Wikimedia Commons",
    "web": "the open web",
    # who stands behind a publisher
    "self-declared": "says itself who it is; no domain vouches for it",
    "domain": "its domain vouches for it",
    "verified": "its domain vouches for it",
    # states of a version
    "published": "published",
    "retracted": "withdrawn by its publisher",
    "voided": "voided by whoever runs this registry",
    # uses
    "train-generative": "training machines that make pictures or texts",
    "train-other": "training other machines, such as face recognition",
    "data-mining": "counting and analysing (data mining)",
    "ai-search": "answers given by AI search",
}
# The states of notices (docs/glossary.md) as the person reads them.
STATES = {
    "pending": "about to be sent",
    "sent": "the publisher was told",
    "undeliverable": "the publisher could not be reached so far",
    "acknowledged": "the publisher has seen it and is at work on it",
    "unlisted": "gone from the list: a newer version no longer names you",
    "said-deleted": "the publisher says it deleted them",
    "suppressed": "the publisher says it holds them back from use",
    "exempt": "the publisher says it need not take them out",
    "not-found": "the publisher says it has nothing of yours",
    "contested": "you disagreed; the publisher was told so",
    "withdrawn": "withdrawn",
    "publisher-not-approved": "not asked: the publisher is not approved here, and would learn who objected",
}
# How a state is shown: an end, something to look at, or on its way.
TONES = {
    "unlisted": "yes",
    "said-deleted": "yes",
    "suppressed": "yes",
    "undeliverable": "unsure",
    "exempt": "unsure",
    "not-found": "unsure",
    "contested": "unsure",
    "publisher-not-approved": "unsure",
}
# Answers of a publisher's that the person may disagree with.
ANSWERED = frozenset({"acknowledged", "unlisted", "said-deleted", "suppressed", "exempt", "not-found"})
# What the registry saw itself, under the state of a notice.
SEEN = {
    "unlisted": "We compared version {version}: your rows are gone, and it says no less of its rows than before.",
    "no-evidence": "Version {version} shows no row of yours, but that proves nothing: {reason}.",
    "reopened": "Version {version} changed that: the publisher is asked again.",
}
ENTRIES = {
    "manifest": "a dataset’s signed manifest",
    "publisher": "a publisher’s name and key",
    "key": "a publisher’s key added or revoked",
    "retraction": "a manifest withdrawn",
    "outcome": "a publisher’s answer",
    "opt-out": "an opt-out, sealed",
    "withdrawal": "an opt-out taken back, sealed",
    "feed": "a new list for those who train",
}


def plain(label: str | None) -> str:
    """A label in words."""
    said = label or UNSTATED
    return PLAIN.get(said) or (BY_NAME[said].title if said in BY_NAME else said)


def state(label: str) -> str:
    """A notice's state in words."""
    return STATES.get(label, label)


def stood(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts by state as counts by words."""
    return {state(label).partition(":")[0].capitalize(): number for label, number in counts.items()}


def tone(label: str) -> str:
    """The class a notice's state is shown with; empty where it is on its way."""
    return TONES.get(label, "")


def identity(key: str) -> str:
    """`flickr:12345@N00` as `12345@N00 on Flickr`; a host and a name say themselves."""
    scheme, _, handle = key.partition(":")
    if scheme in BY_NAME:
        return f"{handle} on {BY_NAME[scheme].title}"
    if scheme in {"name", "id"}:
        dataset, _, name = handle.partition(":")
        return f"{name}, as named in {dataset}"
    return handle


def pointed(selector: Mapping[str, str]) -> str:
    """What a selector points at: a maker as `identity` says it, the rest as it is."""
    kind, value = selector["kind"], selector["value"]
    if kind in {"name", "id"}:
        return identity(f"{kind}:{value}")
    return identity(value) if kind == "maker" else value


def seen(one: Mapping[str, object]) -> str:
    """What the registry saw in a version, as a sentence."""
    return SEEN[str(one["outcome"])].format(version=one["version"], reason=one["reason"])


def entry(kind: str) -> str:
    """What an entry of the log is."""
    return ENTRIES.get(kind, kind)


def stated(labels: Sequence[str]) -> list[str]:
    """Those that say something."""
    return [label for label in labels if label != UNSTATED]


def years(samples: Sequence[object]) -> str:
    """`2006–2014` of samples whose titles name a year; empty where none does."""
    named = sorted({one["year"] for one in samples if isinstance(one, dict) and one.get("year")})
    if not named:
        return ""
    return str(named[0]) if named[0] == named[-1] else f"{named[0]}–{named[-1]}"


def span(seconds: int) -> str:
    """`4 hours`, `12 days`: a length of time, rounded up to what a person counts in."""
    sizes = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
    size, unit = next((one for one in sizes if seconds > one[0]), sizes[-1])
    count = max(1, -(-seconds // size))
    return f"{count} {unit}{'' if count == 1 else 's'}"


def day(when: dt.datetime | str | None) -> str:
    """`22 November 2026`."""
    if when is None:
        return "not yet"
    read = dt.datetime.fromisoformat(when) if isinstance(when, str) else when
    return f"{read.day} {read:%B %Y}"


def moment(when: dt.datetime) -> str:
    """`22 November 2026, 14:05 UTC`."""
    return f"{day(when)}, {when.astimezone(dt.UTC):%H:%M} UTC"


def share(part: int, whole: int) -> str:
    """`12 %`; what is there and less than half of one reads `<1 %`."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    return "<1 %" if 0 < percent < 0.5 else f"{percent:.0f} %"


def named(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts by label as counts by words."""
    said: Counter[str] = Counter()
    for label, number in counts.items():
        said[plain(label)] += number
    return dict(said)


def licence(text: str) -> str:
    """`LicenseRef-AllRightsReserved` as `All rights reserved`; others as they are."""
    own = text.removeprefix("LicenseRef-")
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", own)
    return own if apart == own else apart.capitalize()


def licences(counts: Mapping[str, int]) -> dict[str, int]:
    """The same of counts."""
    return {licence(text): number for text, number in counts.items()}


def spread(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """`{"1": 12, "10": 3}`, by the least number of each range, as pairs for a chart: `10–99`."""
    starts = sorted(int(start) for start in counts)
    return [(_range(start), counts[str(start)]) for start in starts]


def _range(start: int) -> str:
    return {1: "1", 2: "2–9", 10_000: "10,000 and more"}.get(start, f"{start:,}–{start * 10 - 1:,}")
