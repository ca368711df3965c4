# SPDX-License-Identifier: Apache-2.0
"""A house whose holders sign in at an identity provider, and what must not happen there."""

from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from identity import SECRET
from sqlalchemy import select

from portal.citizens.models import HolderSession

from .conftest import House, make_house

PUBLIC_URL = "http://127.0.0.1:8321"


def house_at(folder: Path, issuer: str, **changes: Any) -> House:
    secret = folder / "client.secret"
    secret.write_text(SECRET)
    return make_house(folder, oidc_issuer=issuer, oidc_client_secret_file=secret, **changes)


def begin(browser: FlaskClient) -> str:
    answer = browser.get("/mine/begin")
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def let_nobody_in(house: House, answer: Any, code: str = "sign-in-not-accepted") -> None:
    assert answer.status_code == 403
    assert code in answer.text
    assert "holder.signed-in" not in house.acts()
    with house.rooms.database.reading() as uow:
        assert uow.session.scalars(select(HolderSession)).all() == []
