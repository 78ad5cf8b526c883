"""The registry's REST API, one method a question; each gives the JSON document as it came."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from byline.client.transport import Transport
from byline.errors import Refused
from byline.formats.keys import PrivateKey

MOST_EVIDENCE = 32 << 20


@dataclass(frozen=True)
class Block:
    """Bytes from `start` of part `part` (of `parts`), which has `total`.

    `digest` is of the whole part, on its last block.
    """

    data: bytes
    part: int
    parts: int
    start: int
    total: int
    digest: bytes | None


class Registry:
    """Questions and acts, over a Transport."""

    def __init__(self, transport: Transport) -> None:
        """Speak to one registry."""
        self.transport = transport

    def about(self) -> dict[str, Any]:
        """`origin`, `vkey`, policy, operator, vocabularies, `feed_seq`."""
        return self._object(self.transport.get("/v1"))

    def search(self, text: str, *, limit: int = 20, cursor: str | None = None) -> dict[str, Any]:
        """Contributors over all datasets."""
        params = {"q": text, "limit": str(limit), **({"cursor": cursor} if cursor else {})}
        return self._object(self.transport.get("/v1/search", params=params))

    def lookup(self, text: str) -> dict[str, Any]:
        """`yes`, `no` or `cannot-tell`, per dataset, for a URL or handle in any form."""
        return self._object(self.transport.get("/v1/lookup", params={"q": text}))

    def publisher(self, slug: str) -> dict[str, Any]:
        """Who they are, how far that is proved, their keys and datasets."""
        return self._object(self.transport.get(f"/v1/publishers/{_part(slug)}"))

    def dataset(self, ref: str) -> dict[str, Any]:
        """One dataset (`PUB/NAME`) with its versions, newest first."""
        return self._object(self.transport.get(f"/v1/datasets/{_path(ref)}"))

    def version(self, ref: str, version: str) -> dict[str, Any]:
        """One version of a dataset."""
        return self._object(self.transport.get(f"/v1/datasets/{_path(ref)}/versions/{_part(version)}"))

    def manifest(self, ref: str, version: str | None = None) -> bytes:
        """The signed manifest, byte for byte as it was sent in."""
        at = f"/versions/{_part(version)}" if version else ""
        return self.transport.fetch(f"/v1/datasets/{_path(ref)}{at}/manifest", max_bytes=4 << 20)

    def register(self, envelope: bytes) -> dict[str, Any]:
        """Register a publisher by its self-signed statement."""
        return self._object(self.transport.post("/v1/publishers", envelope))

    def change_key(self, envelope: bytes) -> dict[str, Any]:
        """Add or revoke a key."""
        return self._object(self.transport.post("/v1/keys", envelope))

    def submit(self, envelope: bytes) -> dict[str, Any]:
        """Send a signed manifest; the submission says what it awaits."""
        return self._object(self.transport.post("/v1/manifests", envelope))

    def submission(self, id_: str) -> dict[str, Any]:
        """How far a submission is."""
        return self._object(self.transport.get(f"/v1/submissions/{_part(id_)}"))

    def put_block(self, id_: str, block: Block) -> dict[str, Any]:
        """Send bytes of a part; the last block carries the whole part's SHA-256 (RFC 9530)."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"bytes {block.start}-{block.start + len(block.data) - 1}/{block.total}",
        }
        if block.digest is not None:
            headers["Content-Digest"] = f"sha-256=:{base64.b64encode(block.digest).decode('ascii')}:"
        path = f"/v1/submissions/{_part(id_)}/extract/{block.part}"
        return self._object(
            self.transport.put(path, block.data, params={"parts": str(block.parts)}, headers=headers)
        )

    def put_key(self, id_: str, key: bytes) -> dict[str, Any]:
        """Send the key of withheld rows, before the extract it belongs to."""
        body = json.dumps({"key": key.hex()}).encode()
        return self._object(
            self.transport.put(
                f"/v1/submissions/{_part(id_)}/key",
                body,
                params={},
                headers={"Content-Type": "application/json"},
            )
        )

    def retract(self, envelope: bytes) -> dict[str, Any]:
        """Withdraw a manifest at once."""
        return self._object(self.transport.post("/v1/retractions", envelope))

    def claim(self, identity: str, *, email: str | None) -> dict[str, Any]:
        """`This identity is me`: id, token (secret, shown once) and proof (a public line)."""
        body = {"identity": identity, **({"email": email} if email else {})}
        return self._object(self.transport.post("/v1/claims", body))

    def claim_status(self, id_: str, *, token: str) -> dict[str, Any]:
        """How a claim stands: its state, where its line may stand, what was seen there."""
        return self._object(self.transport.get(f"/v1/claims/{_part(id_)}", token=token))

    def verify(self, id_: str, *, token: str, photo: str | None, by_mail: bool) -> dict[str, Any]:
        """Have a claim's line looked for, or the mail sent that confirms it as asserted."""
        body = {"by_mail": by_mail, **({"photo": photo} if photo else {})}
        return self._object(self.transport.post(f"/v1/claims/{_part(id_)}/verify", body, token=token))

    def opt_out(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Make an opt-out; its id, state and, where no claim stands behind it, its own token."""
        return self._object(self.transport.post("/v1/opt-outs", request))

    def opt_out_status(self, id_: str, *, token: str) -> dict[str, Any]:
        """What an opt-out reached, and what the holders said."""
        return self._object(self.transport.get(f"/v1/opt-outs/{_part(id_)}", token=token))

    def ask_mine(self, email: str) -> dict[str, Any]:
        """Have a link mailed, if anything stands under this address; the answer never says whether."""
        return self._object(self.transport.post("/v1/mine", {"email": email}))

    def open_mine(self, token: str) -> dict[str, Any]:
        """Trade the mailed token, once, for a key: `token`, `until`."""
        return self._object(self.transport.post("/v1/mine/open", {"token": token}))

    def mine(self, *, token: str) -> dict[str, Any]:
        """Every claim and opt-out of the address, whole."""
        return self._object(self.transport.get("/v1/mine", token=token))

    def watch(self, asked: Mapping[str, Any], *, token: str | None = None) -> dict[str, Any]:
        """Ask to be told: `about` or `opt_out` (with its token), `email` or `webhook`."""
        return self._object(self.transport.post("/v1/watches", asked, token=token))

    def watch_state(self, id_: str, *, token: str) -> dict[str, Any]:
        """How a watch stands, and what it told."""
        return self._object(self.transport.get(f"/v1/watches/{_part(id_)}", token=token))

    def end_watch(self, id_: str, *, token: str) -> dict[str, Any]:
        """End a watch; nothing of it is kept."""
        return self._object(self.transport.post(f"/v1/watches/{_part(id_)}/end", {}, token=token))

    def act_on_mine(self, act: str, body: Mapping[str, Any], *, token: str) -> dict[str, Any]:
        """`hide`, `withdraw`: what one may do there."""
        return self._object(self.transport.post(f"/v1/mine/{_part(act)}", body, token=token))

    def evidence(self, id_: str, *, token: str) -> bytes:
        """All that an opt-out can show, in one zip."""
        return self.transport.fetch(
            f"/v1/opt-outs/{_part(id_)}/evidence", max_bytes=MOST_EVIDENCE, token=token
        )

    def withdraw(self, id_: str, *, token: str) -> dict[str, Any]:
        """Take an opt-out back."""
        return self._object(self.transport.post(f"/v1/opt-outs/{_part(id_)}/withdraw", {}, token=token))

    def notices(self, key: PrivateKey, *, after: int, limit: int) -> dict[str, Any]:
        """The events of a publisher's notices after one; `outcomes_head` for its next outcome statement."""
        path = f"/v1/notices?after={after}&limit={limit}"
        return self._object(self.transport.signed("GET", path, sign=_signing(key)))

    def report(self, envelope: bytes) -> dict[str, Any]:
        """Say what was done about notices."""
        return self._object(self.transport.post("/v1/outcomes", envelope))

    @staticmethod
    def _object(found: Any) -> dict[str, Any]:
        return found if isinstance(found, dict) else {}


def _signing(key: PrivateKey) -> Callable[[str, str, bytes], dict[str, str]]:
    from byline.client.signing import signed_headers  # it takes a while to import, and few need it

    def sign(method: str, url: str, body: bytes) -> dict[str, str]:
        return signed_headers(method, url, body, key=key, now=dt.datetime.now(dt.timezone.utc))

    return sign


def _part(text: str) -> str:
    return quote(text, safe="")


def _path(ref: str) -> str:
    publisher, slash, name = ref.partition("/")
    if not slash or "/" in name or {publisher, name} & {"", ".", ".."}:
        raise Refused("bad-dataset-name", f"{ref!r} is not PUBLISHER/NAME")
    return quote(ref, safe="/")
