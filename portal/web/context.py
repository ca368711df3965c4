# SPDX-License-Identifier: Apache-2.0
"""What every request has: the composed rooms, who asks, the correlation number, language and mode."""

from contextlib import suppress
from typing import Final, cast
from urllib.parse import unquote

from flask import current_app, g, request

from cases.errors import CaseNotFoundError
from licenses.purposes import is_purpose
from portal.citizens.errors import SignInNotOfferedError
from portal.citizens.services import CitizenService
from portal.clients.tokens import Presented, TokenService
from portal.errors import UnauthenticatedError
from portal.i18n import EN, ZH, set_language
from portal.publications import Publications
from portal.readiness import Readiness
from portal.rooms import Rooms
from portal.settings import Settings
from portal.together import Checks, Statements, Together
from portal.web.counters import AUTHENTICATION_FAILED, Counters, RateLimit
from storage.database import UnitOfWork
from storage.engines import RecordsUnavailableError
from storage.errors import InvalidInputError
from storage.identity import PUBLIC, AccessBasis, Basis, Identity

SESSION_COOKIE: Final = "cunzheng_session"
HOLDER_COOKIE: Final = "cunzheng_holder"
HOLDER_PAGES: Final = "mine"
"""The blueprint of holders: no other route knows their cookie, and theirs know no official's."""
LANGUAGE_COOKIE: Final = "cunzheng_lang"
MODE_COOKIE: Final = "cunzheng_mode"
REDISPLAY: Final = "redisplay"
"""Query name with which the switches of language and mode send a form: what was typed comes back."""
MODES: Final = ("normal", "elder")
_LANGUAGES: Final = {"zh": ZH, "zh-CN": ZH, "en": EN}
_LIMIT_OF_HEADER: Final = 200
_AS_SENT: Final = {
    f"Access-{name}": f"HTTP_ACCESS_{name.upper()}" for name in ("Case", "Item", "Operator", "Purpose")
}
"""Our headers by their names in the environment of a request, which is asked several times faster."""
UNKNOWN: Final = "unknown"


def rooms() -> Rooms:
    """Give the composed rooms of the running application."""
    return cast(Rooms, current_app.extensions["cunzheng.rooms"])


def settings() -> Settings:
    """Give the settings of the running application."""
    return cast(Settings, current_app.extensions["cunzheng.settings"])


def readiness() -> Readiness:
    """Give what looks at the parts."""
    return cast(Readiness, current_app.extensions["cunzheng.readiness"])


def publications() -> Publications:
    """Give what makes the signed directory and the status list."""
    return cast(Publications, current_app.extensions["cunzheng.publications"])


def counters() -> Counters:
    """Give the process's counts."""
    return cast(Counters, current_app.extensions["cunzheng.counters"])


def information() -> Together[Statements, Checks]:
    """Give the information checks, those of several requests in one unit of work."""
    return cast("Together[Statements, Checks]", current_app.extensions["cunzheng.information"])


def public_limit() -> RateLimit:
    """Give the limit on public checks."""
    return cast(RateLimit, current_app.extensions["cunzheng.limit"])


def dispute_limit() -> RateLimit:
    """Give the limit on disputes of strangers."""
    return cast(RateLimit, current_app.extensions["cunzheng.dispute_limit"])


def sign_in_limit() -> RateLimit:
    """Give the limit on attempts to sign in."""
    return cast(RateLimit, current_app.extensions["cunzheng.sign_in_limit"])


def token_limit() -> RateLimit:
    """Give the limit on assertions that prove nobody."""
    return cast(RateLimit, current_app.extensions["cunzheng.token_limit"])


def identity() -> Identity:
    """Give who asks."""
    return cast(Identity, g.identity)


def identify() -> Identity:
    """Find out who asks: the holder of a key, the person of a session, or a stranger.

    Raises:
        UnauthenticatedError: a key was sent that does not hold; it is counted, not recorded.
    """
    if request.blueprint == HOLDER_PAGES:
        return _holder()
    header = request.environ.get("HTTP_AUTHORIZATION")
    if header is not None:
        scheme, _, key = header.partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            counters().add(AUTHENTICATION_FAILED)
            raise UnauthenticatedError
        return _client(key.strip())
    token = request.cookies.get(SESSION_COOKIE)
    if token:
        return _person(token)
    return PUBLIC


def _person(token: str) -> Identity:
    accounts, database = rooms().accounts, rooms().database
    with database.reading() as uow:
        present = accounts.present(uow, token)
    if present is None:
        return PUBLIC
    who = present.identity
    if present.unseen:
        # A database that takes no writes now ends no session that could be read.
        with suppress(RecordsUnavailableError):
            database.write(lambda uow: accounts.see(uow, who))
    return who


def citizens() -> CitizenService:
    """Give the holders' sign-in.

    Raises:
        SignInNotOfferedError: No identity provider is configured.
    """
    found = cast("CitizenService | None", current_app.extensions["cunzheng.citizens"])
    if found is None:
        raise SignInNotOfferedError
    return found


def offers_sign_in() -> bool:
    """Tell whether holders can sign in here."""
    return current_app.extensions["cunzheng.citizens"] is not None


def _holder() -> Identity:
    token = request.cookies.get(HOLDER_COOKIE)
    if not token or not offers_sign_in():
        return PUBLIC
    with rooms().database.reading() as uow:
        found = citizens().signed_in(uow, token)
    if found is None:
        return PUBLIC
    g.elder = found.elder
    return found.identity


def tokens() -> TokenService:
    """Give what issues and reads tokens of calling systems."""
    return cast(TokenService, current_app.extensions["cunzheng.tokens"])


def presented() -> Presented | None:
    """Give the token that this call came with; ``None`` for an old shared key, a person or a stranger."""
    return cast("Presented | None", g.get("presented"))


def _client(key: str) -> Identity:
    operator = _header("Access-Operator")
    try:
        with rooms().database.looking() as look:
            if key.count(".") == 2:
                g.presented = tokens().present(look, key, operator)
                who = g.presented.identity
            else:
                who = rooms().accounts.client(look, key, operator)
    except UnauthenticatedError:
        counters().add(AUTHENTICATION_FAILED)
        raise
    return _on_basis(who)


def _on_basis(who: Identity) -> Identity:
    """Give the identity with the basis that the headers state.

    Acts hold the basis in clear, so only values that we know ourselves get into it; others become
    ``unknown``, and the room refuses them.
    """
    case, item, purpose = map(_header, ("Access-Case", "Access-Item", "Access-Purpose"))
    if case is None:
        return who
    with rooms().database.reading() as uow:
        known = _known_case(uow, who, case)
    return who.on(
        AccessBasis(
            Basis.CASE,
            known,
            item if item is None or rooms().items.knows(item) else UNKNOWN,
            purpose if purpose is None or is_purpose(purpose) else UNKNOWN,
        )
    )


def _known_case(uow: UnitOfWork, who: Identity, value: str) -> str:
    """Give the id of the case that a header names by id, or as ``source/number``, percent-encoded."""
    source, slash, number = value.partition("/")
    try:
        if slash:
            return rooms().cases.get(uow, who, unquote(source), unquote(number)).id
        return rooms().cases.get_by_id(uow, who, value).id
    except CaseNotFoundError:
        return UNKNOWN


def _header(name: str) -> str | None:
    value: str | None = request.environ.get(_AS_SENT[name])
    if value is None:
        return None
    if not 1 <= len(value) <= _LIMIT_OF_HEADER or not value.isprintable():
        raise InvalidInputError(field=name, rule="1 to 200 printable characters")
    return value


def only_redisplays() -> bool:
    """Tell whether a form was sent to be shown in another language or mode, not to be carried out."""
    return REDISPLAY in request.args


def choose_language() -> None:
    """Take the language from the address, the cookie or, for the interface, ``Accept-Language``."""
    asked = _chosen("lang", LANGUAGE_COOKIE)
    if asked is None and "HTTP_ACCEPT_LANGUAGE" in request.environ and request.path.startswith("/api/"):
        asked = request.accept_languages.best_match(["zh", "zh-CN", "en"])
    g.chosen_language = _LANGUAGES.get(asked or "", ZH)
    set_language(g.chosen_language)


def chosen_mode() -> str:
    """Give the display mode of this request: ``normal`` or ``elder``."""
    usual = "elder" if g.get("elder") else "normal"
    asked = _chosen("mode", MODE_COOKIE) or usual
    return asked if asked in MODES else usual


def _chosen(argument: str, cookie: str) -> str | None:
    # Most calls of systems have neither query nor cookie: nothing is parsed for them.
    named = request.args.get(argument) if request.query_string else None
    return named or (request.cookies.get(cookie) if "HTTP_COOKIE" in request.environ else None)
