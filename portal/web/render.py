# SPDX-License-Identifier: Apache-2.0
"""What templates may use: translated text, dates, labels, the frame around every page."""

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlencode

from flask import Flask, current_app, g, request, url_for
from jinja2 import StrictUndefined

from cases.organisations import organisations
from licenses.ladder.listing import WATCHERS as LADDER_WATCHERS
from licenses.objections import READERS
from licenses.sharing.services import READERS as SHARING_READERS
from licenses.stock.titles import trust_levels
from portal import i18n
from portal.accounts.rights import ADMINISTRATORS
from portal.settings import Settings
from portal.version import VERSION
from portal.web import context
from portal.web.codes import issuer_title, process_title, purpose_title, reason_title
from portal.web.forms import FORM_FIELD, form_token
from portal.web.labels import ICONS, ROLES, TONES, label
from storage.clock import parse_rfc3339
from storage.engines import RecordsUnavailableError
from storage.identity import Identity, Role

SEARCH_ROLES: Final = (Role.ARCHIVIST, Role.CLERK, Role.SUPERVISOR)
_DESKS: Final = (
    ("archivist.home", i18n.mark("Archive desk"), (Role.ARCHIVIST,)),
    ("window.home", i18n.mark("Service window"), (Role.CLERK,)),
    ("recalled.home", i18n.mark("Recalled answers"), (Role.CLERK,)),
    ("supervision.home", i18n.mark("Supervision"), (Role.SUPERVISOR, Role.AUDIT_ADMIN)),
    ("issue.home", i18n.mark("Issue a licence"), (Role.LICENSE_MANAGER,)),
    ("manage.home", i18n.mark("Manage a licence"), (Role.LICENSE_MANAGER,)),
    ("bulk.home", i18n.mark("Change many licences"), (Role.LICENSE_MANAGER,)),
    ("stock.home", i18n.mark("Import of stock"), (Role.LICENSE_MANAGER,)),
    ("ladder.home", i18n.mark("Commitments and cooperation"), LADDER_WATCHERS),
    ("objections.home", i18n.mark("Objections"), READERS),
    ("rights.home", i18n.mark("Accounts and rights"), ADMINISTRATORS),
    ("editions.home", i18n.mark("Items, licence types, templates, rules"), ADMINISTRATORS),
    ("subscriptions.home", i18n.mark("Subscriptions to changes"), SHARING_READERS),
    ("search.results", i18n.mark("Search"), SEARCH_ROLES),
    ("checks.home", i18n.mark("Check a document"), ()),
    ("mine.show", i18n.mark("My licences"), (Role.PUBLIC,)),
)


_BEYOND: Final = {
    "archivist": ("dossiers", "leaves", "selection", "supervision"),
    "supervision": ("dossiers", "leaves", "effect"),
    "editions": ("catalog", "rule_editor", "simulations"),
    "checks": ("catalog",),
}
"""Blueprints of pages to which a desk leads and that bear no desk's name, by the desk's blueprint."""


def desk_here(desks: Sequence[tuple[str, str]]) -> str:
    """Give the endpoint of the desk to which this page belongs; empty when it belongs to none of them."""
    for endpoint, _ in desks:
        if request.blueprint == endpoint.partition(".")[0]:
            return endpoint
    for endpoint, _ in desks:
        if request.blueprint in _BEYOND.get(endpoint.partition(".")[0], ()):
            return endpoint
    return ""


def desks_of(who: Identity) -> list[tuple[str, str]]:
    """Give endpoint and name of the desks that somebody may open, in the rail's order; a holder has none."""
    if who.has(Role.HOLDER):
        return []
    return [
        (endpoint, name)
        for endpoint, name, roles in _DESKS
        if not roles or who.has(*roles)
        if endpoint != "mine.show" or context.offers_sign_in()
    ]


def here_with(**changes: str | None) -> str:
    """Give the address of this page with some query values changed; ``None`` removes one."""
    return _with(_opened(request.path), changes)


def form_with(address: str, **changes: str | None) -> str:
    """Give the address to which a form is sent to be shown again with some query values changed."""
    return _with(address, changes | {context.REDISPLAY: "1"})


def _with(path: str, changes: Mapping[str, str | None]) -> str:
    fixed = {*changes, context.REDISPLAY}
    values = [(name, value) for name, value in request.args.items(multi=True) if name not in fixed]
    values += [(name, value) for name, value in changes.items() if value is not None]
    return f"{path}?{urlencode(values)}" if values else path


def _opened(path: str) -> str:
    """Give the nearest address that can be opened: what answered a form may answer to nothing else."""
    routes = current_app.create_url_adapter(request)
    if routes is None or request.url_rule is None:
        return path
    while path.count("/") > 1 and not routes.test(path, "GET"):
        path = path.rpartition("/")[0]
    return path


def install(app: Flask, settings: Settings) -> None:
    """Give the application's templates their functions, filters and frame."""
    app.jinja_env.globals.update(
        _=i18n.gettext,
        named=i18n.named,
        choose=i18n.choose,
        label=label,
        here_with=here_with,
        form_with=form_with,
        issuer_title=issuer_title,
        organisation_title=organisation_title,
        process_title=process_title,
        purpose_title=purpose_title,
        reason_title=reason_title,
        role_names=ROLES,
        trust_level=trust_levels().__getitem__,
        tones=TONES,
        icons=ICONS,
    )
    app.jinja_env.filters.update(
        instant=parse_rfc3339,
        moment=i18n.moment,
        exact=i18n.exact_moment,
        day=i18n.day,
        grouped=grouped,
        size=_size,
    )
    # A name that a template has wrong is an error, not an empty place on a page.
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True

    @app.context_processor
    def frame() -> dict[str, Any]:
        who = g.get("identity")
        desks = desks_of(who) if who is not None else []
        return {
            "settings": settings,
            "who": who,
            "signed_in": who is not None and who.kind == "person",
            "desks": desks,
            "desk_here": desk_here(desks),
            "language": i18n.language(),
            "mode": context.chosen_mode(),
            "form_field": FORM_FIELD,
            "form_token": lambda: form_token(context.rooms().ids),
            "signed_in_name": _signed_in_name,
            "own_posts": _own_posts,
            "last_checkpoint": _last_checkpoint,
            "version": VERSION,
            "search_roles": SEARCH_ROLES,
            "home_address": url_for("home.index"),
        }


def _signed_in_name() -> str:
    rooms = context.rooms()
    # The page that says that the database is away has this frame, too.
    with suppress(RecordsUnavailableError), rooms.database.reading() as uow:
        return rooms.accounts.name(uow, context.identity().id)
    return ""


def _own_posts() -> dict[str, frozenset[Role]]:
    rooms = context.rooms()
    with suppress(RecordsUnavailableError), rooms.database.reading() as uow:
        return rooms.accounts.posts(uow, context.identity())
    return {}


def organisation_title(code: str) -> str:
    """Give an organisation's name in the language of the page, the code where the data do not know it."""
    found = organisations().get(code)
    return code if found is None else i18n.choose(found.zh, found.en)


def _last_checkpoint() -> list[dt.datetime | None]:
    """Give when the newest checkpoint was signed, ``None`` before the first; nothing while nobody knows."""
    rooms = context.rooms()
    with suppress(RecordsUnavailableError), rooms.database.reading() as uow:
        return [rooms.last_checkpoint_at(uow)]
    return []


def grouped(text: str, width: int = 8) -> str:
    """Break a digest into groups so that a person can compare it and a narrow page can wrap it."""
    return " ".join(text[start : start + width] for start in range(0, len(text), width))


def _size(count: int) -> str:
    """Write a number of bytes."""
    if count < 1024:
        return f"{count} B"
    if count < 1024 * 1024:
        return f"{count / 1024:.1f} kB"
    return f"{count / 1024 / 1024:.1f} MB"
