"""Mail: by SMTP, or as a file in the data folder. Sent by a job, never inside a request."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import smtplib
import ssl
import uuid
from collections.abc import Mapping
from contextlib import closing
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from pathlib import Path
from urllib.parse import unquote, urlsplit

from byline.errors import Refused, Unavailable
from registry.config import Settings

_ADDRESS = re.compile(r"[^\s@<>\"(),:;\\\[\]]{1,64}@[^\s@<>\"(),:;\\\[\]]{1,253}")
_TIMEOUT = 30


def check_address(address: str) -> str:
    """Give the address back without the spaces around it, or Refused("bad-mail-address").

    Only its shape: a mail proves it.
    """
    address = address.strip()
    if not _ADDRESS.fullmatch(address) or not address.isprintable():
        raise Refused("bad-mail-address", "that is not a mail address, like name@example.org", at="email")
    return address


class Mailer:
    """Sends plain-text mails the way the settings say."""

    def __init__(self, settings: Settings) -> None:
        self._url, self._sender = settings.smtp_url, settings.mail_from
        self.folder = settings.data_dir / "mail"

    def send(
        self,
        to: str,
        subject: str,
        body: str,
        *,
        now: dt.datetime,
        about: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """One mail. One `about` the same thing has the same Message-ID when it must be sent again.

        Unavailable("mail-not-sent") to be tried again, Refused("mail-refused") where the server will never
        take it.
        """
        message = EmailMessage(policy=SMTP if to.isascii() else SMTPUTF8)
        message["From"], message["To"] = self._sender, check_address(to)
        message["Subject"] = " ".join(subject.split())
        message["Date"] = now
        known = hashlib.sha256(f"{to}\n{about}".encode()).hexdigest()[:32] if about else uuid.uuid4().hex
        message["Message-ID"] = f"<{known}@{self._sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers this
        for name, value in (headers or {}).items():
            message[name] = value
        message.set_content(body)
        if self._url:
            self._send(message)
        else:
            self._write(message, now)

    def _send(self, message: EmailMessage) -> None:
        try:
            with closing(_connect(self._url)) as server:
                server.send_message(message)
                server.quit()
        except smtplib.SMTPRecipientsRefused as error:
            if all(code >= 500 for code, _ in error.recipients.values()):
                raise Refused(
                    "mail-refused", "the mail server does not take this address", at="email"
                ) from error
            raise Unavailable("mail-not-sent", "the mail server wants it later") from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unavailable(
                "mail-not-sent", f"the mail server did not take it: {type(error).__name__}"
            ) from error

    def _write(self, message: EmailMessage, now: dt.datetime) -> None:
        """A file named for its time, whole or not there."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / f"{now:%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}.eml"
        half = path.with_suffix(".half")
        half.write_bytes(message.as_bytes())
        os.replace(half, path)  # noqa: PTH105 - the atomic one


def _connect(url: str) -> smtplib.SMTP:
    """Open the server of `smtp://`, `smtp+starttls://` or `smtps://[USER:PASSWORD@]HOST[:PORT]`."""
    parts = urlsplit(url)
    host, port = parts.hostname or "localhost", parts.port
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, port or 465, timeout=_TIMEOUT, context=ssl.create_default_context()
        )
    elif parts.scheme in {"smtp", "smtp+starttls"}:
        server = smtplib.SMTP(host, port or (587 if "starttls" in parts.scheme else 25), timeout=_TIMEOUT)
    else:
        raise Refused(
            "bad-setting",
            "BYLINE_SMTP_URL begins with smtp://, smtp+starttls:// or smtps://",
            at="BYLINE_SMTP_URL",
        )
    try:
        if "starttls" in parts.scheme:
            server.starttls(context=ssl.create_default_context())
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except BaseException:
        server.close()
        raise
    return server


def written(folder: Path) -> list[Path]:
    """The mails in a folder, oldest first."""
    return sorted(folder.glob("*.eml"))
