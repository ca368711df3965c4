# SPDX-License-Identifier: Apache-2.0
"""The token that ties a form to the browser and the session it was shown in.

A random secret lives in a cookie that scripts cannot read; a form carries an HMAC of the session under that
secret. A page of another site can neither read the cookie nor compute the field.
"""

import hashlib
import hmac
from typing import Final

from flask import Response, g, request

from portal.errors import FormExpiredError
from storage.clock import IdSource

FORM_COOKIE: Final = "cunzheng_form"
FORM_FIELD: Final = "form_token"


def _token(secret: str, session: str | None) -> str:
    return hmac.new(secret.encode(), (session or "public").encode(), hashlib.sha256).hexdigest()


def form_token(ids: IdSource) -> str:
    """Give the token for a form of this page; the answer will set the cookie if there was none."""
    secret = request.cookies.get(FORM_COOKIE) or g.get("form_secret")
    if not secret:
        secret = g.form_secret = ids.nonce().hex()
    return _token(secret, g.identity.session)


def check_form() -> None:
    """Refuse a form that does not come from a page we showed to this browser and session.

    Raises:
        FormExpiredError: if cookie or field is missing or they do not fit.
    """
    secret = request.cookies.get(FORM_COOKIE, "")
    sent = request.form.get(FORM_FIELD, "")
    if not secret or not hmac.compare_digest(sent.encode(), _token(secret, g.identity.session).encode()):
        raise FormExpiredError


def keep_form_cookie(answer: Response, *, secure: bool) -> None:
    """Set the cookie when this page made a new secret."""
    secret = g.get("form_secret")
    if secret:
        answer.set_cookie(FORM_COOKIE, secret, httponly=True, samesite="Lax", secure=secure, path="/")
