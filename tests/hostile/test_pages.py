# SPDX-License-Identifier: Apache-2.0
"""Hostile visits: forged forms, foreign sessions, spent links, and everything that somebody may type."""

import io
import re
from typing import Any

import pytest

from portal.web.forms import FORM_COOKIE, FORM_FIELD

from . import ladder
from .calls import filled
from .ground import Ground, address_is_free_of, mark_of, nothing_told
from .pages import ASK, FORGED, REFUSED, SESSIONS, Visit
from .pages_disputes import DISPUTES
from .pages_documents import DOCUMENTS
from .pages_effect import EFFECT
from .pages_grants import GRANTS
from .pages_holders import HOLDINGS
from .pages_licences import LICENCES
from .pages_one import ONE
from .pages_stock import STOCK
from .pages_typed import TYPED

CASES = [
    *FORGED,
    *SESSIONS,
    *TYPED,
    *LICENCES,
    *HOLDINGS,
    *STOCK,
    *DISPUTES,
    *DOCUMENTS,
    *EFFECT,
    *GRANTS,
    *ONE,
    *ladder.VISITS,
]
_CODE = re.compile(r'<p class="quiet">[^<]*<code>([a-z-]+)</code>')


def code_of(page: str) -> str | None:
    found = _CODE.search(page)
    return found[1] if found else None


def _token(ground: Ground, visit: Visit) -> dict[str, str]:
    if visit.token == "none":
        return {}
    if visit.token == "empty":
        return {FORM_FIELD: ""}
    session = {"own": visit.who, "stranger": ""}.get(visit.token, visit.token)
    return {FORM_FIELD: ground.form_token(session)}


def visited(ground: Ground, visit: Visit, mark: str) -> Any:
    browser = ground.browser(visit.who)
    if not visit.cookie:
        browser.delete_cookie(FORM_COOKIE)
    path = filled(visit.path, mark)
    for name, link in ground.links.items():
        path = path.replace(f"{{{name}}}", link)
    headers = filled(dict(visit.headers), mark)
    query = filled(dict(visit.query), mark) or None
    if visit.form is None:
        return browser.get(path, headers=headers, query_string=query)
    data: dict[str, Any] = filled(dict(visit.form), mark) | _token(ground, visit)
    if visit.files:
        data["file"] = [(io.BytesIO(one), filled(name, mark)) for name, one in visit.files]
    return browser.post(path, data=data, headers=headers, query_string=query)


@pytest.mark.parametrize("visit", CASES, ids=lambda visit: visit.name)
def test_a_hostile_visit(ground: Ground, visit: Visit) -> None:
    mark = mark_of(visit.name)
    with ground.watched(mark, visit.acts):
        answer = visited(ground, visit, mark)
        told = f"{answer.headers}\n{answer.text}"
        assert (answer.status_code, code_of(answer.text)) == (visit.status, visit.code), answer.text[-200:]
    assert not re.search(rf"<[^>]*script[^>]*>{mark}|>{mark}</script", told)
    assert address_is_free_of(str(answer.headers), f"{mark}.invalid")
    if visit.redisplays:
        assert f"{mark}49" not in told.replace(" ", "")
    else:
        nothing_told(mark, told, "the page")


def test_a_login_link_works_once_however_often_it_is_pressed(ground: Ground) -> None:
    link = ground.new_link("inspector")
    mark = mark_of(link)
    visit = Visit(name="press", status=303, path=f"/sign-in/{link}", form={})
    with ground.watched(mark, ("account.signed-in",)):
        answers = [visited(ground, visit, mark).status_code for _ in range(5)]
    assert answers == [303, 410, 410, 410, 410]


def test_a_form_replayed_is_asked_again_and_answered_again_and_nothing_is_half_done(ground: Ground) -> None:
    visit = Visit(name="replay", status=303, who="clerk", path="/window/ask", form=ASK)
    for _ in range(2):
        with ground.watched(mark_of(visit.name), ("proof.asked", "proof.answered")):
            assert visited(ground, visit, "").status_code == 303


def test_the_answer_of_one_clerk_is_nothing_to_another(ground: Ground) -> None:
    visit = Visit(name="own", status=303, who="clerk", path="/window/ask", form=ASK)
    address = visited(ground, visit, "").headers["Location"]
    with ground.watched(mark_of(address), REFUSED):
        answer = ground.browser("elsewhere").get(address)
    assert (answer.status_code, code_of(answer.text)) == (404, "not-found")


def test_the_visits_are_what_their_names_say() -> None:
    assert len({one.name for one in CASES}) == len(CASES)
