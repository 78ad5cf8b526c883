"""Write core.json: keys, statements, log leaves, notes, category bits, licences, strict JSON.

Run it from the repository's root: `python tests/vectors/make_core.py`. The same bytes every time.
A change of an existing value is a change of format, not of a test.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

from byline.formats import categories, entries, envelope, licences, note, statements
from byline.formats.keys import PrivateKey
from byline.formats.statements import Subject

NOW = dt.datetime(2026, 1, 31, 23, 59, 59, tzinfo=dt.UTC)
ORIGIN = "byline.example.org"
KEY = PrivateKey(hashlib.sha256(b"byline vectors: publisher").digest())
LOG_KEY = PrivateKey(hashlib.sha256(b"byline vectors: log").digest())
FILE = hashlib.sha256(b"a file").hexdigest()
EXTRACT = hashlib.sha256(b"an extract").hexdigest()
BAD_JSON = {
    "duplicate-key": ['{"a":1,"a":2}', '{"a":{"b":1,"c":2,"b":1}}', '{"a":1,"\\u0061":2}'],
    "number-out-of-range": [
        "NaN",
        "Infinity",
        '{"a":-Infinity}',
        "9007199254740992",
        "-9007199254740992",
        "1" * 5000,
    ],
    "float-not-allowed": ["1.5", "[1e2]", '{"a":-0.0}', "1E400"],
    "not-json": ["", "{", "[1,]", "'a'", "{a:1}", "01", "tru", '"\t"', '"open', '"\\', "1 2", "\ufeff{}"],
    "too-deep": ["[" * 65 + "]" * 65, '{"a":' * 65 + "1" + "}" * 65, "[" * 2000],
    "nul-character": ['"\\u0000"', '{"a\\u0000":1}'],
    "not-utf8": ['"\\ud800"', '{"\\udfff":1}', '"\\udc00\\ud800"'],
}
LICENCES = (
    "by 2",
    "by-nc-nd 3.0",
    "CC-BY",
    "cc0 1.0",
    "cc0 3",
    "pdm",
    "pdm 1.0",
    "Unsplash",
    "GFDL",
    "MIT",
    "CC BY-SA 4.0",
    "cc-by-nc-sa-4.0",
    "http://creativecommons.org/licenses/by-nc-sa/2.0/",
    "https://creativecommons.org/licenses/by/2.0/fr/deed.en",
    "creativecommons.org/licenses/by-sa/3.0/de",
    "https://creativecommons.org/publicdomain/zero/1.0/",
    "by 2.1",
    "by-nd-nc 1.0",
    "http://flickr.com/commons/usage/",
    "Attribution-NonCommercial-ShareAlike License",
    "© The estate. All Rights Reserved, DACS 2014",
    "https://choosealicense.com/licenses/cc-by-3.0/",
    "odc-by",
    "© Tate",
    "unknown",
    "",
)


def manifest() -> dict[str, Any]:
    """A small manifest predicate that says everything once."""
    return {
        **statements.common(origin=ORIGIN, now=NOW, nonce=bytes(range(16))),
        "dataset": {
            "publisher": "ibm-research",
            "name": "diversity-in-faces",
            "version": "1.0.0",
            "supersedes": None,
        },
        "role": "holder",
        "croissant": {"@type": "sc:Dataset", "name": "Diversity in Faces", "score": 0.5},
        "records": {
            "count": 3,
            "format": "csv",
            "columns": {"url": "OriginalURL", "creator_name": "Author"},
            "files": [{"name": "dif.csv", "sha256": FILE, "records": 3}],
            "bad_rows": 1,
            "on_bad_rows": "skip",
            "options": {"delimiter": ";"},
            "extract": {"rows": 2, "sha256": EXTRACT},
        },
        "disclosure": {
            "purposes": ["face-recognition"],
            "access": "research-only",
            "contact": "mailto:data@ibm.example",
            "annotations": [{"name": "craniofacial measures", "category": "biometric", "method": "machine"}],
            "consent": {"notified": "no", "consented": "no", "revocable": "by-request"},
            "personal_data": True,
        },
        "derived_from": [{"dataset": "yahoo/yfcc100m", "version": "1", "digest": None}],
        "visibility": "named",
    }


def payloads() -> dict[str, bytes]:
    """One statement of each kind that has a reader."""
    key_id = KEY.public.key_id
    common = statements.common(origin=ORIGIN, now=NOW, nonce=bytes(16), previous=FILE)
    digest = hashlib.sha256(b"a manifest").hexdigest()
    return {
        "manifest": statements.build(statements.MANIFEST, [Subject("dif.csv", FILE)], manifest()),
        "publisher": statements.build(
            statements.PUBLISHER,
            [Subject("ibm-research", key_id)],
            {**common, "slug": "ibm-research", "name": "IBM Research", "public_key": KEY.public.to_pem()},
        ),
        "key": statements.build(
            statements.KEY,
            [Subject("ibm-research", key_id)],
            {**common, "publisher": "ibm-research", "action": "revoke"},
        ),
        "retraction": statements.build(
            statements.RETRACTION,
            [Subject("ibm-research/dif@1.0.0", digest)],
            {
                **common,
                "dataset": {"publisher": "ibm-research", "name": "dif", "version": "1.0.0"},
                "reason": "asked to",
            },
        ),
    }


def statement(kind: str, payload: bytes) -> dict[str, str]:
    """A statement, its envelope, and the leaf it becomes."""
    sealed = envelope.sign(payload, KEY)
    opened = envelope.open_envelope(sealed)
    leaf = entries.statement_entry(
        kind,
        digest=opened.digest,
        envelope_sha256=opened.sha256,
        key_id=KEY.public.key_id,
        subject="publisher:ibm-research",
        at=NOW,
    )
    return {
        "payload": payload.decode(),
        "digest": opened.digest,
        "envelope": sealed.decode(),
        "envelope_sha256": opened.sha256,
        "leaf": leaf.decode(),
        "leaf_hash": entries.leaf_hash(leaf).hex(),
    }


def vectors() -> dict[str, Any]:
    """Everything core.json says."""
    commitment = entries.commitment_entry("opt-out", commitment=FILE, at=NOW)
    feed = entries.feed_entry(7, FILE, NOW)
    name = f"{ORIGIN}/feed/v1"
    return {
        "key": {
            "seed": KEY.seed.hex(),
            "public": KEY.public.raw.hex(),
            "key_id": KEY.public.key_id,
            "pem": KEY.public.to_pem(),
        },
        "pae": base64.b64encode(envelope.pae(b"hello world", "http://example.com/HelloWorld")).decode(),
        "statements": {kind: statement(kind, payload) for kind, payload in payloads().items()},
        "leaves": {leaf.decode(): entries.leaf_hash(leaf).hex() for leaf in (commitment, feed)},
        "note": {
            "vkey": note.vkey(name, LOG_KEY.public),
            "signed": note.sign(
                f"{name}\n7\n{base64.b64encode(bytes(32)).decode()}\n", name, LOG_KEY
            ).decode(),
        },
        "categories": {
            "bits": dict(categories.CATEGORIES),
            "unknown": categories.bits(["train-generative", "something-new"]),
            "none said": categories.bits([]),
        },
        "licences": {raw: licences.to_spdx(raw) for raw in LICENCES},
        "bad_json": BAD_JSON,
    }


def written() -> str:
    """core.json as text."""
    return json.dumps(vectors(), indent=1, ensure_ascii=True, sort_keys=True) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("core.json").write_text(written(), encoding="utf-8")
