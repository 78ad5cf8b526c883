"""A registry whose manifests are published without their pipeline: rows go straight into tables and indexes.

Rows are said in selectors (who made it, which photo), so that what is tested does not depend on how
records are read.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import itertools
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from byline.formats.hosts import host_chain
from byline.formats.selectors import contributor_kind, fingerprint, public_id
from byline.formats.urls import canonical_url, host_of
from registry.config import Settings
from registry.contributors.aliases import recompute_for_manifest, recompute_for_publisher
from registry.contributors.looking import Seen
from registry.contributors.places import places_of
from registry.contributors.proofs import is_proved, keep
from registry.contributors.sealed import SEAL, seal_of, sealed_maker
from registry.contributors.withheld import keep_key
from registry.database import Sessions, make_engine, make_items_engine, make_sessions, transaction
from registry.models import (
    AliasLink,
    Base,
    Claim,
    Contributor,
    ContributorCount,
    Dataset,
    DerivedFrom,
    Job,
    Manifest,
    ManifestFile,
    MatcherState,
    OptOut,
    OptOutClaim,
    OptOutSelector,
    Publisher,
    items_metadata,
)
from registry.optouts.access import token_hash
from registry.optouts.claims_followed import follow_claim
from registry.optouts.erasing import erase_again
from registry.optouts.mailing import open_mail
from registry.optouts.match import ask, match_manifest, run
from registry.optouts.request import confirm_by_mail, make_opt_out, withdraw
from registry.seal import Seal
from registry.storage import ObjectStore, item_index
from registry.storage.memory import MemoryStore
from registry.storage.record_index import index_key, write_entries
from tests.plugins.parts import settings_in

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


Edge = tuple[str, str | None, str | None]
"""dataset, version, digest: what a version is said to be made from."""


@dataclass(frozen=True)
class Line:
    """One record: its makers' keys, the photos it shows, its URL and digest.

    `file` is the number of its file. `blinded`: makers, photos and digest are digests under a key, as `withheld` makes them.
    """

    makers: tuple[str, ...] = ()
    photos: tuple[str, ...] = ()
    url: str | None = None
    landing_url: str | None = None
    sha256: str | None = None
    file: int = 0
    blinded: bool = False

    def item_keys(self) -> set[int]:
        """As the record index's loader gives them."""
        kind = "photo" if len(self.photos) == 1 and not self.blinded else "photo2"
        places = [self.url, *(self.landing_url or "").split()] if self.blinded else []
        keys = {fingerprint(kind, one) for one in (*self.photos, *places) if one}
        shown = canonical_url(self.url) or canonical_url(self.landing_url)
        if not self.photos and shown:
            keys.add(fingerprint("url", shown))
        return keys | ({fingerprint("sha256", self.sha256)} if self.sha256 else set())


def withheld(line: Line, key: bytes) -> Line:
    """The line as a registry has it where its version withholds: said again from docs/formats/withheld.md."""

    def under(kind: str, value: str) -> str:
        return hmac.new(key, f"b1|{kind}|{value}".encode(), "sha256").hexdigest()

    urls = [url for url in (canonical_url(line.url), canonical_url(line.landing_url)) if url]
    hosts = {host for url in urls for host in host_chain(host_of(url))}
    kind = "photo" if len(line.photos) == 1 else "photo2"
    photos = tuple(under(kind, photo) for photo in line.photos)
    place = under("url", urls[0]) if urls and not line.photos else None
    at = " ".join(under("host", host) for host in sorted(hosts)) if place else None
    makers = tuple(f"withheld:{under('contributor', maker)}" for maker in dict.fromkeys(line.makers))
    sha256 = under("sha256", line.sha256) if line.sha256 else None
    return Line(makers, photos, place, at or None, sha256=sha256, file=line.file, blinded=True)


def static(number: int, ending: str = "abcdef0123") -> str:
    """A Flickr static URL of a photo."""
    return f"https://live.staticflickr.com/65535/{number}_{ending}_b.jpg"


class DiedError(Exception):
    """The process was killed before a commit."""


@dataclass
class SmallRegistry:
    """Tables, an item index, a store, and one counter that stands for randomness."""

    sessions: Sessions
    items: Engine
    store: ObjectStore
    settings: Settings
    seal: Seal
    now: dt.datetime = NOW
    lines: dict[int, list[Line]] = field(default_factory=dict)
    digests: dict[int, str] = field(default_factory=dict)
    dies_at: int = 0
    random: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - repeatable on purpose

    def token_bytes(self, count: int) -> bytes:
        """Repeatable randomness."""
        return self.random.randbytes(count)

    def publisher(self, slug: str, *, approved: bool = True) -> int:
        """Register one."""
        with transaction(self.sessions) as session:
            one = Publisher(slug=slug, name=slug.title(), approved=approved, registered_at=self.now)
            session.add(one)
            session.flush()
            return one.id

    def dataset(self, name: str) -> int:
        """The dataset `publisher/name`, made where it is not there."""
        slug, _, bare = name.partition("/")
        with transaction(self.sessions) as session:
            publisher = session.scalar(select(Publisher.id).where(Publisher.slug == slug))
            found = session.scalar(
                select(Dataset.id).where(Dataset.publisher_id == publisher, Dataset.name == bare)
            )
            if found is None:
                one = Dataset(publisher_id=publisher, name=bare, created_at=self.now)
                session.add(one)
                session.flush()
                found = one.id
            return found

    def publish(
        self,
        dataset: str,
        version: str,
        lines: Sequence[Line],
        *,
        role: str = "holder",
        visibility: str = "named",
        files: dict[int, str] | None = None,
        supersedes: int | None = None,
        parents: Sequence[Edge] = (),
        key: bytes | None = None,
    ) -> int:
        """Bring a version to published as the pipeline does: record, log, learn, match, publish."""
        manifest_id = self.record(
            dataset, version, lines, role=role, visibility=visibility, files=files, supersedes=supersedes,
            parents=parents, key=key,
        )  # fmt: skip
        self.go_on(manifest_id)
        return manifest_id

    def go_on(self, manifest_id: int) -> None:
        """What is left of a version's way when it is logged; may be repeated."""
        with transaction(self.sessions) as session:
            changed = recompute_for_manifest(session, manifest_id)
            if changed:
                ask(session, now=self.now, contributors=sorted(changed))
        match_manifest(
            self.sessions, items=self.items, store=self.store, manifest_id=manifest_id, now=self.now
        )
        self.drain()
        self.set_state(manifest_id, "published")

    def record(
        self,
        dataset: str,
        version: str,
        lines: Sequence[Line],
        *,
        role: str = "holder",
        visibility: str = "named",
        files: dict[int, str] | None = None,
        supersedes: int | None = None,
        parents: Sequence[Edge] = (),
        key: bytes | None = None,
    ) -> int:
        """A version up to the state `logged`: counts, record index and item keys are written."""
        dataset_id = self.dataset(dataset)
        digest = hashlib.sha256(f"{dataset}@{version}".encode()).hexdigest()
        digests = files or {
            n: hashlib.sha256(f"{digest}/{n}".encode()).hexdigest() for n in {0, *(x.file for x in lines)}
        }
        with transaction(self.sessions) as session:
            manifest = _manifest(dataset_id, version, digest, lines=lines, now=self.now)
            manifest.role, manifest.visibility, manifest.supersedes_id = role, visibility, supersedes
            if visibility == "withheld":
                blind = key or hashlib.sha256(f"key of {digest}".encode()).digest()
                manifest.withheld_sha256 = hashlib.sha256(blind).hexdigest()
                keep_key(session, manifest, blind)
                lines = [withheld(line, blind) for line in lines]
            session.add(manifest)
            session.flush()
            for position, sha256 in sorted(digests.items()):
                count = sum(line.file == position for line in lines)
                session.add(
                    ManifestFile(
                        manifest_id=manifest.id, position=position, name=f"{position}.csv", sha256=sha256,
                        records=count, column="url", column_sha256=sha256,
                    )
                )  # fmt: skip
            for position, (ref, of, its_digest) in enumerate(parents):
                said = DerivedFrom(manifest_id=manifest.id, position=position, dataset=ref, version=of)
                said.digest = its_digest
                session.add(said)
            entries = _entries(lines)
            for maker, start, count in _runs(entries):
                contributor = _contributor(session, maker)
                session.add(
                    ContributorCount(
                        contributor_id=contributor.id, manifest_id=manifest.id, start=start, entries=count,
                        records=count, licenses={}, samples=[],
                    )
                )  # fmt: skip
        write_entries(self.store, digest, _index(entries))
        keys = sorted((k, at) for at, (_, _, line) in enumerate(entries) for k in line.item_keys())
        if keys:
            ks, positions = np.array(keys, dtype=np.int64).T
            item_index.load(self.items, manifest.id, [(ks, positions)])
        self.lines[manifest.id], self.digests[manifest.id] = list(lines), digest
        self.write_links(manifest.id)
        return manifest.id

    def write_links(self, manifest_id: int) -> None:
        """A row with an alias and a number; a photo with an alias here and a number there, or reversed."""
        own = self.lines[manifest_id]
        with transaction(self.sessions) as session:
            for makers in {line.makers for line in own}:
                _link(session, (makers, makers), source=f"manifest:{manifest_id}", of=(manifest_id, None))
            for other_id, lines in self.lines.items():
                low, high = sorted((manifest_id, other_id))
                for one, two in itertools.product(own, lines):
                    if one.photos == two.photos and len(one.photos) == 1:
                        for pair in ((one.makers, two.makers), (two.makers, one.makers)):
                            _link(session, pair, source=f"photo:{low}:{high}", of=(low, high))

    def set_state(self, manifest_id: int, state: str) -> None:
        """Published, retracted, voided."""
        with transaction(self.sessions) as session:
            session.get_one(Manifest, manifest_id).state = state

    def end(self, manifest_id: int, state: str) -> None:
        """Retract or void, with all that follows."""
        with transaction(self.sessions) as session:
            session.get_one(Manifest, manifest_id).state = state
            session.flush()
            changed = recompute_for_manifest(session, manifest_id)
            ask(session, now=self.now, manifest=manifest_id)
            if changed:
                ask(session, now=self.now, contributors=sorted(changed))
        if state == "voided":
            self.store.delete(index_key(self.digests[manifest_id]))
            item_index.forget(self.items, manifest_id)
        self.drain()

    def set_standing(self, publisher_id: int, *, approved: bool, suspended: bool = False) -> None:
        """What the operator decides about a publisher, with all that follows."""
        with transaction(self.sessions) as session:
            one = session.get_one(Publisher, publisher_id)
            one.approved, one.suspended = approved, suspended
            session.flush()
            changed = recompute_for_publisher(session, publisher_id)
        self.drain(publisher=publisher_id)
        self.drain(contributors=sorted(changed))

    def claim(
        self, identity: str, *, assurance: str = "verified", state: str = "confirmed"
    ) -> dict[str, str]:
        """A claim the operator confirmed: `{"id", "token"}`."""
        token = self.token_bytes(32).hex()
        with transaction(self.sessions) as session:
            one = Claim(
                id=self.token_bytes(16).hex(), identity=identity, token_hash=token_hash(token),
                proof=f"byline-proof={self.token_bytes(16).hex()}", state=state, assurance=assurance, made_at=self.now,
            )  # fmt: skip
            session.add(one)
            session.flush()
            return {"id": one.id, "token": token}

    def look_for_line(self, claim_id: str, *, there: bool) -> None:
        """The place of a claim's line is looked at, where it stands or not; what stands on it follows. May be repeated."""
        with transaction(self.sessions) as session:
            claim = session.get_one(Claim, claim_id)
            at = places_of(claim.identity, photo=None)[0]
            seen = [Seen(at, (claim.proof,) if there else (), (), "", answered=True)]
            found = [one for one in seen if is_proved(one, claim.proof, self.settings.public_url)]
            keep(session, claim_id=claim_id, seen=seen, found=found, now=self.now)
        self.follow_claims()

    def follow_claims(self) -> None:
        """What waits to follow a claim."""
        with self.sessions() as session:
            jobs = list(session.scalars(select(Job).where(Job.kind == "claim").order_by(Job.id)))
        for job in jobs:
            with transaction(self.sessions) as session:
                follow_claim(session, claim_id=job.payload["claim"], now=self.now)
                session.delete(session.get_one(Job, job.id))
        self.drain()

    def claims_of(self, opt_out_id: str) -> list[Claim]:
        """What an opt-out stands on."""
        columns = select(Claim).join(OptOutClaim, OptOutClaim.claim_id == Claim.id).order_by(Claim.id)
        with self.sessions() as session:
            return list(session.scalars(columns.where(OptOutClaim.opt_out_id == opt_out_id)))

    def opt_out(self, *identities: str, assurance: str = "verified", **said: Any) -> tuple[str, str]:
        """Opt out by identity: claim, confirm, ask, match. The id and a token that opens it."""
        claims = [self.claim(identity, assurance=assurance) for identity in identities]
        made = self.ask(claims=claims, **said)
        self.drain()
        return made["id"], claims[0]["token"]

    def opt_out_items(self, *items: str, **said: Any) -> tuple[str, str]:
        """Opt out by items: ask, open the mail, press the button, match."""
        made = self.ask(selectors=list(items), email="someone@example.org", **said)
        with transaction(self.sessions) as session:
            confirm_by_mail(session, token=self.mailed_token(made["id"]), now=self.now)
        self.now += dt.timedelta(days=1)  # an address gets few mails a day
        self.drain()
        return made["id"], made["token"]

    def ask(self, **said: Any) -> dict[str, Any]:
        """make_opt_out, in a transaction."""
        with transaction(self.sessions) as session:
            return make_opt_out(
                session,
                seal=self.seal,
                settings=self.settings,
                now=self.now,
                token_bytes=self.token_bytes,
                **said,
            )

    def mailed_token(self, opt_out_id: str) -> str:
        """The token in the last mail about an opt-out."""
        with self.sessions() as session:
            job = session.scalars(
                select(Job).where(Job.kind == "mail", Job.key == opt_out_id).order_by(Job.id)
            ).all()[-1]
            return next(
                line for line in open_mail(self.seal, job.payload)[2].splitlines() if "/confirm/" in line
            ).rpartition("/")[2]

    def withdraw(self, opt_out_id: str, token: str) -> None:
        """Take it back."""
        with transaction(self.sessions) as session:
            withdraw(session, opt_out_id=opt_out_id, token=token, now=self.now)

    def erase(self, ids: Collection[str]) -> None:
        """Forget the person behind these claims and opt-outs; their wishes in force go on."""
        with transaction(self.sessions) as session:
            erase_again(session, ids, seal=self.seal, now=self.now)

    def selectors_of(self, opt_outs: Iterable[str]) -> set[str]:
        """The schemes of what these point at."""
        return {value.partition(":")[0] for one in opt_outs for value in self.values_of(one)}

    def values_of(self, opt_out: str) -> set[str]:
        """What one points at."""
        asked = select(OptOutSelector.value).where(OptOutSelector.opt_out_id == opt_out)
        with self.sessions() as session:
            return set(session.scalars(asked))

    def drain(self, **what: Any) -> None:
        """Do the matching that waits, and what is asked now."""
        if what:
            with transaction(self.sessions) as session:
                ask(session, now=self.now, **what)
        with self.sessions() as session:
            jobs = list(session.scalars(select(Job).where(Job.kind.startswith("match")).order_by(Job.id)))
        for job in jobs:
            run(sessions=self.sessions, items=self.items, store=self.store, payload=job.payload, now=self.now)
        with transaction(self.sessions) as session:
            for job in jobs:
                session.delete(session.get_one(Job, job.id))

    def crash_at(self, commit: int) -> None:
        """Let the process die at one of the commits to come: nothing of that transaction is kept."""
        self.dies_at = commit

    def survive(self, do: Callable[[], None]) -> None:
        """Do it; where it dies, do it again from its beginning, as the queue does."""
        try:
            do()
        except DiedError:
            do()
        finally:
            self.dies_at = 0

    def _committing(self, _session: Session) -> None:
        if self.dies_at:
            self.dies_at -= 1
            if self.dies_at == 0:
                raise DiedError

    def state_of(self, opt_out_id: str) -> str:
        """The state of one opt-out."""
        with self.sessions() as session:
            return session.get_one(OptOut, opt_out_id).state


@contextmanager
def small_registry(folder: Path, *, database_url: str = "") -> Iterator[SmallRegistry]:
    """An empty one in a folder, on SQLite or on a PostgreSQL."""
    settings = settings_in(folder, **({"database_url": database_url} if database_url else {}))
    engine, items = make_engine(settings.database_url), make_items_engine(settings.items_url)
    try:
        if not _has_tables(engine):
            Base.metadata.create_all(engine)
            items_metadata.create_all(items)
        seal = Seal(bytes(32))
        sessions = make_sessions(engine, {SEAL: seal})
        made = SmallRegistry(sessions, items, MemoryStore(), settings, seal)
        event.listen(sessions, "before_commit", made._committing)
        yield made
    finally:
        engine.dispose()
        items.dispose()


def _has_tables(engine: Engine) -> bool:
    with engine.connect() as connection:
        return engine.dialect.has_table(connection, MatcherState.__tablename__)


def _manifest(
    dataset_id: int, version: str, digest: str, *, lines: Sequence[Line], now: dt.datetime
) -> Manifest:
    return Manifest(
        dataset_id=dataset_id, version=version, digest=digest, key_id="0" * 64, state="logged", role="holder",
        format="csv", records=len(lines), rows=len(lines), purposes=[], access="open", annotations=[], consent={},
        licenses={}, platforms={}, made_at=now, unattributed=sum(not line.makers for line in lines),
    )  # fmt: skip


def _entries(lines: Sequence[Line]) -> list[tuple[str | None, int, Line]]:
    """(contributor, row, line), sorted as the record index is; a row with two makers stands twice."""
    rows: dict[int, Iterator[int]] = {}
    numbered = [(next(rows.setdefault(line.file, itertools.count())), line) for line in lines]
    entries = [
        (maker, row, line) for row, line in numbered for maker in dict.fromkeys(line.makers) or (None,)
    ]
    return sorted(entries, key=lambda entry: (entry[0] is None, entry[0] or "", entry[2].file, entry[1]))


def _runs(entries: Iterable[tuple[str | None, int, Line]]) -> Iterator[tuple[str, int, int]]:
    """(contributor, start, entries) of each run."""
    start = 0
    for key, entries_of in itertools.groupby(entries, key=lambda entry: entry[0]):
        count = len(list(entries_of))
        if key is not None:
            yield key, start, count
        start += count


def _index(entries: Sequence[tuple[str | None, int, Line]]) -> pa.Table:
    lines = [line for _, _, line in entries]
    one_photo = [line.photos[0] if len(line.photos) == 1 and not line.blinded else None for line in lines]
    shown = [canonical_url(line.url) or canonical_url(line.landing_url) for line in lines]
    k = [
        fingerprint("photo2", line.url)
        if line.blinded and line.url
        else fingerprint("photo", photo)
        if photo
        else fingerprint("url", url)
        if url and not line.photos
        else None
        for photo, url, line in zip(one_photo, shown, lines, strict=True)
    ]
    return pa.table(
        {
            "contributor": pa.array([key for key, _, _ in entries], pa.string()),
            "file": pa.array([line.file for line in lines], pa.int32()),
            "row": pa.array([row for _, row, _ in entries], pa.int64()),
            "photo": pa.array(one_photo, pa.string()),
            "photos": pa.array(
                [list(x.photos) if len(x.photos) > (not x.blinded) else None for x in lines],
                pa.list_(pa.string()),
            ),
            "url": pa.array([line.url for line in lines], pa.string()),
            "landing_url": pa.array([line.landing_url for line in lines], pa.string()),
            "sha256": pa.array([line.sha256 for line in lines], pa.string()),
            "k": pa.array(k, pa.int64()),
        }
    )


def _contributor(session: Session, key: str) -> Contributor:
    found = session.scalar(select(Contributor).where(Contributor.key == key))
    if found is None:
        kind, platform = contributor_kind(key)
        found = Contributor(
            key=key,
            public_id=public_id(key),
            kind=kind,
            platform=platform,
            handle=key,
            root_id=0,
            sealed=sealed_maker(seal_of(session), key),
        )
        session.add(found)
        session.flush()
        found.root_id = found.id
    return found


def _link(
    session: Session, pair: tuple[Iterable[str], Iterable[str]], *, source: str, of: tuple[int, int | None]
) -> None:
    """Say that each alias of the one and each number of the other, of one platform, are one maker."""
    aliases, numbers = ([_contributor(session, key) for key in keys] for keys in pair)
    for alias, number in itertools.product(aliases, numbers):
        same = (alias.kind, number.kind, alias.platform) == ("alias", "number", number.platform)
        if same and session.get(AliasLink, (alias.id, number.id, source)) is None:
            how = source.partition(":")[0].replace("manifest", "record")
            link = AliasLink(alias_id=alias.id, number_id=number.id, source=source, how=how)
            link.manifest_id, link.other_manifest_id = of
            session.add(link)
            session.flush()
