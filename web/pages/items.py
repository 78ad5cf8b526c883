"""Opting out single photos by their links; the door of people pictured."""

from __future__ import annotations

import secrets

import flask

from byline.errors import BylineError, Refused
from registry.database import transaction
from registry.optouts import request as requests
from web.forms import CATEGORIES, RELATIONS, ItemForm, read_item
from web.here import keep_key, runtime

LONGEST_URL = 2000
LONGEST_REF = 200


def routes(pages: flask.Blueprint) -> None:
    """`/opt-out-a-link`."""
    pages.add_url_rule("/opt-out-a-link", "item_door", door)
    pages.add_url_rule("/opt-out-a-link", "item", item, methods=["POST"])


def door() -> str:
    """The form; filled in as far as the page before knew."""
    asked = flask.request.args
    relation = asked.get("relation", "maker")
    return _form(
        ItemForm(
            relation=relation if relation in dict(RELATIONS) else "maker",
            urls=asked.get("url", "")[:LONGEST_URL],
            datasets=asked.get("dataset", "")[:LONGEST_REF],
        )
    )


def item() -> flask.typing.ResponseReturnValue:
    """Keep the wish until the mailed link is opened."""
    form = ItemForm()
    here = runtime()
    try:
        form = read_item()
        if not form.url_list():
            raise Refused("no-link", "Paste at least one link.")
        with transaction(here.sessions) as session:
            made = requests.make_opt_out(
                session,
                selectors=form.url_list(),
                email=form.email,
                relation=form.relation,
                categories=list(form.categories),
                remove_existing=form.remove_existing,
                datasets=form.dataset_list(),
                publisher_only=form.publisher_only,
                seal=here.seal,
                settings=here.settings,
                now=here.clock(),
                token_bytes=secrets.token_bytes,
            )
    except BylineError as error:
        return _form(form, problem=error.message), 422
    keep_key(made["id"], made["token"])
    return flask.render_template("sent.html", opt_out=made)


def _form(form: ItemForm, *, problem: str | None = None) -> str:
    return flask.render_template(
        "item.html", form=form, relations=RELATIONS, categories=CATEGORIES, problem=problem
    )
