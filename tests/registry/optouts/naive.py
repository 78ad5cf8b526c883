"""What every opt-out should reach, said again from the records alone: loops over everything, no tables.

Written from docs/formats/matching.md and not from the matcher; slow, and easy to believe.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from byline.formats.publishable import row_fingerprints
from byline.formats.selectors import contributor_kind
from byline.formats.urls import canonical_url, host_of
from tests.registry.optouts.small_registry import Edge, Line


@dataclass
class Version:
    """A dataset version as it was published."""

    id: int
    dataset: str
    version: str
    lines: list[Line]
    state: str = "published"
    role: str = "holder"
    parents: tuple[Edge, ...] = ()
    withheld: bool = False

    @property
    def digest(self) -> str:
        """As small_registry gives it."""
        return hashlib.sha256(self.label.encode()).hexdigest()

    @property
    def label(self) -> str:
        """`publisher/name@version`."""
        return f"{self.dataset}@{self.version}"


@dataclass
class Claimed:
    """What an opt-out stands on: by the operator's word or a mail address first, by a line where one was seen."""

    id: str
    identity: str
    state: str
    assurance: str | None
    by_line: bool = False

    @property
    def counts(self) -> bool:
        """Whether it was proved; who once proved it once proved it."""
        return self.state in ("confirmed", "lapsed") and self.assurance == "verified"


@dataclass
class Wished:
    """An opt-out as it was asked."""

    id: str
    selectors: list[tuple[str, str]]
    assurance: str
    relation: str = "maker"
    datasets: frozenset[str] | None = None
    publisher_only: bool = False
    in_force: bool = True
    claims: list[Claimed] = field(default_factory=list)


@dataclass
class World:
    """Everything that happened. `standing`: publisher -> whether its word counts; `order`: datasets as they came."""

    standing: dict[str, bool] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    wishes: list[Wished] = field(default_factory=list)

    def counts(self, version: Version) -> bool:
        """Whether its word is heard about others' rows."""
        return self.standing[version.dataset.partition("/")[0]] and version.state != "voided"

    def counting_rows(self) -> Iterator[tuple[Version, Line]]:
        """Every row whose word is heard; of rows that are withheld nobody hears any."""
        for version in self.versions:
            if self.counts(version) and not version.withheld:
                for line in version.lines:
                    yield version, line

    def roots(self) -> dict[str, str]:
        """Every key and what stands for it: an alias's number, where the counting rows name exactly one."""
        numbers: dict[str, set[str]] = defaultdict(set)
        for (_, one), (_, two) in itertools.product(self.counting_rows(), repeat=2):
            if one is two or (len(one.photos) == 1 and one.photos == two.photos):
                for alias, number in itertools.product(one.makers, two.makers):
                    if _may_be_one(alias, number):
                        numbers[alias].add(number)
        keys = {key for version in self.versions for line in version.lines for key in line.makers}
        return {key: next(iter(numbers[key])) if len(numbers[key]) == 1 else key for key in keys}

    def line_seen(self, claim: Claimed) -> None:
        """The claim's line stands there: proved, unless somebody else proved the same before."""
        if claim.state == "confirmed" and claim.assurance == "verified":
            return
        root = self.roots()
        one = root.get(claim.identity, claim.identity)
        others = [c for wish in self.wishes for c in wish.claims if c is not claim]
        rivals = [
            c for c in others
            if root.get(c.identity, c.identity) == one and (c.state, c.assurance) == ("confirmed", "verified")
        ]  # fmt: skip
        claim.state, claim.assurance = ("disputed", None) if rivals else ("confirmed", "verified")
        claim.by_line = True
        self._follow(claim)

    def line_gone(self, claim: Claimed) -> None:
        """It is no longer there, for longer than two weeks; only what a line proved lapses by it."""
        if claim.by_line and claim.state == "confirmed":
            claim.state = "lapsed"
            self._follow(claim)

    def _follow(self, claim: Claimed) -> None:
        for wish in self.wishes:
            if claim in wish.claims:
                wish.assurance = "verified" if all(c.counts for c in wish.claims) else "asserted"

    def wanted(self, wish: Wished) -> dict[str, Any]:
        """`matches`: {(manifest, file, strength): rows}; `word_of` likewise; `covered` photos.

        `fingerprints`.
        """
        root = self.roots()
        mine = {root.get(key, key) for key in map(_maker_key, wish.selectors) if key}
        said: dict[str, list[tuple[Version, set[str]]]] = defaultdict(list)
        shown: dict[str, list[tuple[Version, Line]]] = defaultdict(list)
        for version, line in self.counting_rows():
            if len(line.photos) == 1:
                shown[line.photos[0]].append((version, line))
                makers = {
                    root[m] for m in line.makers if contributor_kind(m)[0] in {"number", "alias", "web"}
                }
                if makers:
                    said[line.photos[0]].append((version, makers))
        matches: dict[tuple[int, int, str], set[int]] = defaultdict(set)
        word_of: dict[tuple[int, int, str], set[int]] = defaultdict(set)
        for version in self.versions:
            if version.state != "published" or (
                wish.datasets is not None and version.dataset not in wish.datasets
            ):
                continue
            rows: dict[int, int] = defaultdict(int)
            for line in version.lines:
                row = rows[line.file]
                rows[line.file] += 1
                strength, words = _strength(wish, version, line, mine, root, said)
                if strength:
                    matches[version.id, line.file, strength].add(row)
                    word_of[version.id, line.file, strength] |= words
        covered = {p for p, all_said in said.items() if any(makers & mine for _, makers in all_said)}
        whole = {p for p in covered if all(makers & mine for _, makers in said[p])}
        return {
            "matches": dict(matches) if wish.in_force else {},
            "word_of": dict(word_of) if wish.in_force else {},
            "covered": covered if wish.in_force else set(),
            "fingerprints": self._fingerprints(wish, {p: shown[p] for p in whole}),
        }

    def _fingerprints(self, wish: Wished, shown: dict[str, list[tuple[Version, Line]]]) -> set[int]:
        if wish.assurance != "verified" or wish.relation != "maker" or wish.datasets is not None:
            return set()
        if wish.publisher_only or not wish.in_force:
            return set()
        found = {
            (photo, kind, k)
            for photo, rows in shown.items()
            for _, line in rows
            for kind, k in row_fingerprints(line.url, line.landing_url, line.sha256)
        }
        photos = Counter((kind, k) for _, kind, k in found)
        return {k for _, kind, k in found if kind != "sha256" or photos[kind, k] == 1}

    def notices(self, wish: Wished) -> dict[str, dict[str, Any]]:
        """Dataset -> what its notice says; none for datasets of publishers that do not count."""
        wanted = self.wanted(wish)
        found: dict[str, dict[str, Any]] = {}
        for version in self.versions:
            mine = {key: rows for key, rows in wanted["matches"].items() if key[0] == version.id}
            if not mine or not self.standing[version.dataset.partition("/")[0]]:
                continue
            one = found.setdefault(version.dataset, {"versions": [], "full": False, "word_of": set()})
            one["versions"].append(version.version)
            one["records"] = sum(map(len, mine.values()))
            one["full"] |= any(strength == "full" for _, _, strength in mine)
            labels = {v.id: v.label for v in self.versions}
            one["word_of"] |= {labels[said] for key in mine for said in wanted["word_of"][key]}
        for one in found.values():
            one["assurance"], one["parent"] = wish.assurance if one.pop("full") else "asserted", None
        return found | self._by_lineage(wish, found)

    def _by_lineage(self, wish: Wished, rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Those without rows that are made from one with rows, whatever the steps, for as far as they are asked."""
        depth: dict[tuple[int, str], int] = {}
        for root, one in rows.items():
            here = [v for v in self.versions if v.dataset == root and v.version in one["versions"]]
            steps = 0
            while here:
                steps += 1
                further = [
                    child
                    for child in self.versions
                    if self._asked(child)
                    and any(self._fits(edge, up) for edge in child.parents for up in here)
                ]
                here = [child for child in further if (child.id, root) not in depth]
                depth |= {(child.id, root): steps for child in here}
        found: dict[str, dict[str, Any]] = {}
        for version in self.versions:
            ways = [
                (n, self.order.index(root), root) for (made, root), n in depth.items() if made == version.id
            ]
            if not ways or version.dataset in rows or all(line.makers for line in version.lines):
                continue
            if wish.datasets is not None and version.dataset not in wish.datasets:
                continue
            one = found.setdefault(
                version.dataset, {"versions": [], "word_of": set(), "records": 0, "nearest": min(ways)}
            )
            one["versions"].append(version.version)
            one["word_of"].add(version.label)
            one["nearest"] = min(one["nearest"], *ways)
        for one in found.values():
            one["parent"] = one.pop("nearest")[2]
            one["assurance"] = rows[one["parent"]]["assurance"]
        return found

    def _asked(self, version: Version) -> bool:
        return version.state == "published" and self.standing[version.dataset.partition("/")[0]]

    def _fits(self, edge: Edge, parent: Version) -> bool:
        """Whether what is said to be a dataset's origin may be this version."""
        dataset, version, digest = edge
        if dataset != parent.dataset or digest not in (None, parent.digest):
            return False
        known = any(v.dataset == dataset and v.version == version for v in self.versions)
        return version in (None, parent.version) or (digest is None and not known)


def _strength(
    wish: Wished,
    version: Version,
    line: Line,
    mine: set[str],
    root: dict[str, str],
    said: dict[str, list[tuple[Version, set[str]]]],
) -> tuple[str | None, set[int]]:
    if {root[m] for m in line.makers} & mine:
        return "full", {version.id}
    if _shows(wish, line, withheld=version.withheld):
        return "full", {
            v.id for p in line.photos[:1] for v, makers in said[p] if len(line.photos) == 1 and makers & mine
        }
    if len(line.photos) == 1:
        agreeing = [v.id for v, makers in said[line.photos[0]] if makers & mine]
        if agreeing:
            return ("full" if len(agreeing) == len(said[line.photos[0]]) else "asserted"), set(agreeing)
    return None, set()


def _shows(wish: Wished, line: Line, *, withheld: bool) -> bool:
    urls = [url for url in (canonical_url(line.url), canonical_url(line.landing_url)) if url]
    for kind, value in wish.selectors:
        if kind == "photo" and value in line.photos:
            return True
        if kind == "url" and not line.photos and urls and urls[0] == value:
            return True
        if kind == "sha256" and line.sha256 == value:
            return True
        if (
            kind == "host"
            and not (withheld and line.photos)
            and any(host_of(url) == value or host_of(url).endswith(f".{value}") for url in urls)
        ):
            return True
    return False


def _maker_key(selector: tuple[str, str]) -> str | None:
    kind, value = selector
    return value if kind == "maker" else f"{kind}:{value}" if kind in {"name", "id"} else None


def _may_be_one(alias: str, number: str) -> bool:
    return (
        contributor_kind(alias)[0] == "alias"
        and contributor_kind(number)[0] == "number"
        and contributor_kind(alias)[1] == contributor_kind(number)[1]
    )
