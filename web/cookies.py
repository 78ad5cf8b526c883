"""The cookie of the pages; whoever sends none, and is given none, costs nothing."""

from __future__ import annotations

import flask
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin


class Cookies(SecureCookieSessionInterface):
    """Flask's, which makes a signer for each request, also for those of programs that know no cookies."""

    def open_session(self, app: flask.Flask, request: flask.Request) -> SecureCookieSession | None:
        """What the cookie holds; empty without one."""
        if "HTTP_COOKIE" not in request.environ and app.secret_key:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: flask.Flask, session: SessionMixin, response: flask.Response) -> None:
        """Set, take back or leave the cookie."""
        if session or session.modified or session.accessed:
            super().save_session(app, session, response)
