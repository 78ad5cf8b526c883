"""The pages: for people, without script. `register(app)` puts them into the app."""

from __future__ import annotations

from web.register import register

__all__ = ["register"]
