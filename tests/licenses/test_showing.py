# SPDX-License-Identifier: Apache-2.0
"""Showing a licence: the code changes each minute, nobody can make one, and each scan is a use."""

import pytest
from license_library import BUSINESS, COMPANY, GROUNDS, MANAGER, OTHER, Library
from sqlalchemy import select

from licenses.errors import CodeUnknownError
from licenses.models import License, LicenseUsage
from licenses.showing import ShownCode, ShownFace, ShowService
from storage.errors import NotPermittedError
from storage.identity import PUBLIC, Identity, Role


class Screen:
    """A holder's screen with an own licence on it, and whoever scans it."""

    def __init__(self, library: Library) -> None:
        self.library, self.database = library, library.database
        self.licence: License = library.issue(BUSINESS, COMPANY)
        self.other: License = library.issue(BUSINESS, OTHER, number="N0000000009")
        self.service = ShowService(library.reader)
        self.holder = Identity("holder", self.licence.holder_id, "", frozenset({Role.HOLDER}))

    def code(self, license_id: str = "", who: Identity | None = None) -> ShownCode:
        with self.database.writing() as uow:
            return self.service.code(uow, who or self.holder, license_id or self.licence.id)

    def scan(self, token: str, who: Identity = PUBLIC) -> ShownFace:
        with self.database.writing() as uow:
            return self.service.look(uow, who, token)


@pytest.fixture
def screen(library: Library) -> Screen:
    return Screen(library)


def test_a_scan_shows_face_status_and_time_and_the_holder_sees_the_scan(screen: Screen) -> None:
    seen = screen.scan(screen.code().token)
    assert seen.view.kind.code == BUSINESS
    assert seen.at == screen.library.clock.now()
    assert str(seen.view.status.code) == "valid"
    assert seen.view.face["legal_representative"] != "张演示"
    with screen.database.reading() as uow:
        (use,) = uow.session.scalars(select(LicenseUsage))
    assert (use.action, use.basis, use.purpose, use.actor_id) == ("shown", "holder", "show", "public")


def test_a_licence_that_ended_is_shown_as_ended(screen: Screen) -> None:
    with screen.database.writing() as uow:
        screen.library.service.revoke(uow, MANAGER, screen.licence.identifier, GROUNDS)
    assert str(screen.scan(screen.code().token).view.status.code) == "revoked"


def test_a_code_changes_each_minute_and_is_good_for_ninety_seconds(screen: Screen) -> None:
    first = screen.code()
    assert screen.code().token == first.token
    screen.library.clock.advance(first.fresh_in)
    second = screen.code()
    assert second.token != first.token
    assert screen.scan(first.token).view.id == screen.licence.id, "for thirty seconds more"
    screen.library.clock.advance(30)
    with pytest.raises(CodeUnknownError):
        screen.scan(first.token)
    assert screen.scan(second.token).view.id == screen.licence.id


def test_a_code_of_the_future_is_none(screen: Screen) -> None:
    screen.library.clock.advance(3600)
    later = screen.code().token
    screen.library.clock.advance(-3600)
    with pytest.raises(CodeUnknownError):
        screen.scan(later)


def test_nobody_makes_or_alters_a_code(screen: Screen) -> None:
    token = screen.code().token
    licence, minute, mac = token.split("-")
    last = "a" if mac[-2] != "a" else "b"
    for wrong in (
        f"{screen.other.id}-{minute}-{mac}",
        f"{licence}-{int(minute) + 1}-{mac}",
        f"{licence}-{minute}-{mac[:-2]}{last}{mac[-1]}",
        f"{licence}-{minute}-",
        f"{licence}-{minute}-{'a' * 26}",
        licence,
        "",
        "x" * 5000,
    ):
        with pytest.raises(CodeUnknownError):
            screen.scan(wrong)


def test_only_own_licences_are_shown(screen: Screen) -> None:
    for license_id in (screen.other.id, "unknown"):
        with pytest.raises(CodeUnknownError):
            screen.code(license_id)
    clerk = Identity("person", "clerk", "scjg", frozenset({Role.CLERK}))
    with pytest.raises(NotPermittedError):
        screen.code(who=clerk)
