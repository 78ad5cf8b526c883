"""Everything one opt-out can show, in one zip: to be printed, or handed to a lawyer or an authority.

The same state of the registry gives the same bytes: no clock is read, names are sorted, a zip's own times are its
format's first. At most LARGEST bytes and MOST_STATEMENTS signed statements; `index.html` says what was left out.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased

from byline.errors import BylineError
from registry.models import Answer, Dataset, Delivery, Manifest, Notice, NoticeEvent, Publisher
from registry.optouts.cover import Complaints, cover
from registry.optouts.pieces import select_in
from registry.optouts.status import full_status
from registry.storage import ObjectStore
from registry.tlog.receipts import receipt_for

LARGEST = 16 << 20
MOST_STATEMENTS = 64
FIRST_TIME = (1980, 1, 1, 0, 0, 0)
ReadStatement = Callable[[str], bytes]


@dataclass
class Folder:
    """Files of the zip, by name, until it is full; what found no room."""

    files: dict[str, bytes] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def add(self, name: str, data: bytes) -> None:
        """Put a file in, or note that it found no room."""
        if sum(map(len, self.files.values())) + len(data) > LARGEST:
            self.left_out.append(name)
        else:
            self.files[name] = data


def dossier(
    session: Session,
    *,
    store: ObjectStore,
    opt_out_id: str,
    token: str,
    statement: ReadStatement,
    complaints: Complaints,
    vkey: str,
) -> bytes:
    """The zip, for who holds a token of the opt-out. `statement` gives the signed bytes of a digest.

    NotFound("no-such-opt-out"), Untrusted("wrong-token").
    """
    opt_out = full_status(session, opt_out_id=opt_out_id, token=token)
    told = _told(session, opt_out_id)
    folder = Folder()
    folder.add("opt-out.json", _json(opt_out))
    folder.add("log-key.txt", f"{vkey}\n".encode())
    folder.add("notices.json", _json(told))
    _add_wish(folder, session, store, opt_out["receipt"])
    _add_statements(folder, session, store, told, statement)
    page = cover(opt_out, told, complaints=complaints, vkey=vkey, left_out=folder.left_out)
    folder.files["index.html"] = page.encode()
    return _zip(folder.files)


def _told(session: Session, opt_out_id: str) -> list[dict[str, Any]]:
    """Each notice: which dataset, its contact and manifests, what was sent when, its deliveries and every answer."""
    above, above_by = aliased(Dataset), aliased(Publisher)
    joined = (
        select(Notice, Publisher, Dataset.name, above_by.slug + "/" + above.name)
        .join(Dataset, Dataset.id == Notice.dataset_id)
        .join(Publisher, Publisher.id == Dataset.publisher_id)
        .outerjoin(above, above.id == Notice.parent_id)
        .outerjoin(above_by, above_by.id == above.publisher_id)
        .where(Notice.opt_out_id == opt_out_id)
    )
    rows = session.execute(joined.order_by(Publisher.slug, Dataset.name)).all()
    ids = [notice.id for notice, *_ in rows]
    manifests = _manifests(session, {notice.dataset_id for notice, *_ in rows})
    deliveries, answers = _deliveries(session, ids), _answers(session, ids)
    return [
        {
            "id": notice.id,
            "dataset": f"{publisher.slug}/{name}",
            "publisher": publisher.name,
            "publisher_domain": publisher.domain,
            "observed": notice.observed,
            "parent": parent,
            "contact": next(iter(manifests[notice.dataset_id]), {}).get("contact"),
            "records": notice.records,
            "state": notice.state,
            "made_at": notice.made_at,
            "sent_at": notice.sent_at,
            "answer_by": notice.answer_by,
            "answered_at": notice.answered_at,
            "manifests": [
                {"version": one["version"], "digest": one["digest"]}
                for one in manifests[notice.dataset_id]
                if one["version"] in notice.versions
            ],
            "deliveries": [one for one in deliveries[notice.id] if _reached(notice, one["at"])],
            "answers": answers[notice.id],
        }
        for notice, publisher, name, parent in rows
    ]


def _reached(notice: Notice, at: dt.datetime) -> bool:
    """A mail to one dataset's contact delivers nothing of another's, though its numbers span it."""
    return notice.sent_at is not None and notice.sent_at <= at


def _manifests(session: Session, datasets: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """The versions of each dataset, the newest first."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    columns = select(Manifest.dataset_id, Manifest.version, Manifest.digest, Manifest.contact).where(
        Manifest.published_at.is_not(None)
    )
    for row in select_in(session, columns.order_by(Manifest.id.desc()), Manifest.dataset_id, set(datasets)):
        found[row.dataset_id].append(dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's public name for it
    return found


def _deliveries(session: Session, notices: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """What proves that something about a notice arrived."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    columns = (
        select(NoticeEvent.notice_id, NoticeEvent.seq, NoticeEvent.kind, Delivery)
        .join(
            Delivery,
            and_(
                Delivery.publisher_id == NoticeEvent.publisher_id,
                Delivery.from_seq <= NoticeEvent.seq,
                Delivery.to_seq >= NoticeEvent.seq,
            ),
        )
        .order_by(Delivery.id, NoticeEvent.seq)
    )
    for notice_id, seq, kind, one in select_in(session, columns, NoticeEvent.notice_id, set(notices)):
        found[notice_id].append(
            {"event": seq, "kind": kind, "channel": one.channel, "at": one.at, "proof_sha256": one.proof}
        )
    return found


def _answers(session: Session, notices: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    columns = select(Answer).order_by(Answer.id)
    for (one,) in select_in(session, columns, Answer.notice_id, set(notices)):
        said = ("by", "outcome", "reason", "version", "statement", "at")
        found[one.notice_id].append({name: getattr(one, name) for name in said})
    return found


def _add_wish(
    folder: Folder, session: Session, store: ObjectStore, receipt: Mapping[str, Any] | None
) -> None:
    """The bytes that were committed to, what opens the commitment, and the log's receipt."""
    if receipt is None:
        return
    folder.add("wish/request.json", base64.b64decode(receipt["request"]))
    folder.add("wish/salt.hex", f"{receipt['salt']}\n".encode())
    _add_receipt(folder, session, store, "wish/receipt.tlog-proof", receipt["commitment"])


def _add_statements(
    folder: Folder,
    session: Session,
    store: ObjectStore,
    told: Iterable[Mapping[str, Any]],
    statement: ReadStatement,
) -> None:
    """The signed manifests that name the person, and the signed answers, with their receipts."""
    wanted: dict[str, str] = {}
    for one in told:
        wanted |= {m["digest"]: f"manifests/{one['dataset']}/{m['version']}" for m in one["manifests"]}
        wanted |= {a["statement"]: f"answers/{a['statement']}" for a in one["answers"] if a["statement"]}
    for at, (digest, name) in enumerate(sorted(wanted.items(), key=lambda pair: pair[1])):
        if at >= MOST_STATEMENTS:
            folder.left_out.append(f"{name}.dsse.json")
            continue
        try:
            data = statement(digest)
        except BylineError:  # taken from view, or lost: its digest and receipt remain
            folder.left_out.append(f"{name}.dsse.json")
        else:
            folder.add(f"{name}.dsse.json", data)
        _add_receipt(folder, session, store, f"{name}.tlog-proof", digest)


def _add_receipt(folder: Folder, session: Session, store: ObjectStore, name: str, ref: str) -> None:
    try:
        folder.add(name, receipt_for(session, store, ref=ref))
    except BylineError:  # the next checkpoint of the log will cover it
        folder.left_out.append(name)


def _json(document: Any) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True, default=_when) + "\n").encode()


def _when(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    raise TypeError(type(value))


def _zip(files: Mapping[str, bytes]) -> bytes:
    sums = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in sorted({**files, "SHA256SUMS": sums.encode()}.items()):
            entry = zipfile.ZipInfo(name, FIRST_TIME)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data, compresslevel=6)
    return made.getvalue()
