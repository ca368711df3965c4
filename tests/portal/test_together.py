# SPDX-License-Identifier: Apache-2.0
"""Units of work that callers share: each has its own answer and act, and the failure of one is its own."""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
from fakes import make_database
from hypothesis import given, settings
from hypothesis import strategies as st
from license_library import BUSINESS, COMPANY, FOOD, OTHER, Library
from sqlalchemy import select

from licenses.information import InformationCheck, InformationService
from licenses.metadata import registered_items
from licenses.models import License, LicenseUsage
from portal.together import Together, information_checks
from storage.database import Database, LedgerClosedError, UnitOfWork
from storage.engines import RecordsUnavailableError
from storage.errors import CunzhengError
from storage.identity import PUBLIC, Identity, Role, system_identity
from storage.ledger.acts import Act
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct
from storage.secrets import ErasedError

THREADS = 16
TELLER = system_identity("test")
_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = make_database(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def one_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    made = make_database(tmp_path_factory.mktemp("together"))
    yield made
    made.close()


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path)
    yield made
    made.database.close()


def at_once(
    together: Together[_Asked, _Answer], asked: Sequence[_Asked], opened: threading.Event
) -> list[_Answer | Exception]:
    """Give each one's answer or error: who leads first begins its work when all others have asked, too."""

    def ask(one: _Asked) -> _Answer | Exception:
        try:
            return together.ask(one)
        except (CunzhengError, KeyError, ValueError) as error:
            return error

    with ThreadPoolExecutor(len(asked)) as pool:
        answers = [pool.submit(ask, one) for one in asked]
        while together.asking < len(asked):
            opened.wait(0.001)
        opened.set()
        return [answer.result(30) for answer in answers]


class Desk:
    """Records an act for each who asks; units that hold a name in ``broken`` fail."""

    def __init__(self, database: Database, **limits: Any) -> None:
        self.groups: list[list[str]] = []
        self.broken: dict[str, Callable[[], Exception]] = {}
        self.opened = threading.Event()
        self.database = database
        self.together = Together(database, self._work, **limits)

    def ask(self, *names: str) -> list[str | Exception]:
        return at_once(self.together, names, self.opened)

    def acts(self) -> Counter[tuple[str, str]]:
        """Give name and act of each act that was committed."""
        with self.database.reading() as uow:
            found = uow.session.execute(select(LedgerAct.object_id, LedgerAct.act_id))
            return Counter((row.object_id, row.act_id) for row in found)

    def _work(self, uow: UnitOfWork, asked: Sequence[str]) -> list[str]:
        self.groups.append(list(asked))
        assert self.opened.wait(30)
        acts = [
            Act(kind=ActKind.CASE_ANNOUNCED, actor=TELLER, object_type="case", object_id=name)
            for name in asked
        ]
        promises = uow.record_all(acts)
        for name in asked:
            if name in self.broken:
                raise self.broken[name]()
        return [promise.core_sha256 for promise in promises]


def test_those_who_come_while_a_unit_runs_share_the_next_one(database: Database) -> None:
    desk = Desk(database)
    names = [f"n{number}" for number in range(THREADS)]
    answers = desk.ask(*names)
    assert len(desk.groups) <= 2
    assert sorted(name for group in desk.groups for name in group) == sorted(names)
    assert desk.acts() == Counter(zip(names, map(str, answers), strict=True))


def test_who_leads_takes_along_those_who_were_on_their_way(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(database)
    desk.opened.set()
    coming = [threading.Thread(target=desk.together.ask, args=(name,)) for name in ("second", "third")]
    later = iter(coming)

    def give_way() -> None:
        known = desk.together.asking
        if one := next(later, None):
            one.start()
            while desk.together.asking == known:
                one.join(0.001)

    monkeypatch.setattr(os, "sched_yield", give_way)
    desk.together.ask("first")
    for one in coming:
        one.join(30)
    assert desk.groups == [["first", "second", "third"]]


def test_a_caller_that_finds_no_unit_running_waits_for_nobody(database: Database) -> None:
    desk = Desk(database)
    for name in ("first", "second"):
        desk.ask(name)
    assert desk.groups == [["first"], ["second"]]


def test_a_unit_takes_on_no_more_than_it_may_and_one_that_is_larger_by_itself(database: Database) -> None:
    desk = Desk(database, size=len, most=4)
    names = ["a", "bb", "cc", "dddddd", "e", "f"]
    desk.ask(*names)
    assert sorted(name for group in desk.groups for name in group) == names
    assert all(sum(map(len, group)) <= 4 or len(group) == 1 for group in desk.groups)


def test_the_failure_of_one_is_its_own(database: Database) -> None:
    desk = Desk(database)
    desk.broken["n7"] = KeyError
    names = [f"n{number}" for number in range(THREADS)]
    answers = dict(zip(names, desk.ask(*names), strict=True))
    assert isinstance(answers.pop("n7"), KeyError)
    assert desk.acts() == Counter((name, str(answer)) for name, answer in answers.items())


def test_where_it_is_not_known_what_was_committed_nothing_is_done_again(database: Database) -> None:
    desk = Desk(database)
    names = [f"n{number}" for number in range(THREADS)]
    desk.broken = dict.fromkeys(names, RecordsUnavailableError)
    answers = desk.ask(*names)
    assert all(isinstance(answer, RecordsUnavailableError) for answer in answers)
    assert sorted(name for group in desk.groups for name in group) == sorted(names)


class Closed:
    """A gate that admits nothing and counts."""

    refused = 0

    def admit(self, kind: ActKind) -> None:
        raise LedgerClosedError(kind=str(kind))

    def count_refusal(self, _session: object) -> None:
        self.refused += 1

    def take_refusals(self, _session: object) -> int:
        return 0


def test_each_refusal_of_a_closed_ledger_is_counted_once(tmp_path: Path) -> None:
    gate = Closed()
    desk = Desk(make_database(tmp_path, gate=gate))
    answers = desk.ask(*(f"n{number}" for number in range(THREADS)))
    assert all(isinstance(answer, LedgerClosedError) for answer in answers)
    assert gate.refused == THREADS


@settings(max_examples=40, deadline=None)
@given(fails=st.lists(st.booleans(), min_size=1, max_size=12), most=st.integers(1, 12))
def test_whoever_asks_with_whoever_fails_each_answer_has_exactly_one_act(
    one_for_all: Database, fails: list[bool], most: int
) -> None:
    desk = Desk(one_for_all, most=most)
    before = desk.acts()
    names = [f"n{place}-{before.total()}" for place in range(len(fails))]
    desk.broken = {name: ValueError for name, failing in zip(names, fails, strict=True) if failing}
    held = dict(zip(names, desk.ask(*names), strict=True))
    assert {name for name, answer in held.items() if isinstance(answer, ValueError)} == set(desk.broken)
    done = Counter((name, str(answer)) for name, answer in held.items() if name not in desk.broken)
    assert desk.acts() - before == done


class Late(InformationService):
    """Begins when it is told to."""

    def __init__(self, library: Library) -> None:
        super().__init__(library.holdings, library.holders)
        self.opened = threading.Event()

    def check_each(
        self, uow: UnitOfWork, statements: Sequence[tuple[Identity, Mapping[str, str]]]
    ) -> list[InformationCheck]:
        assert self.opened.wait(30)
        return super().check_each(uow, statements)


def stated(license_: License, holder: tuple[str, str, str]) -> dict[str, str]:
    names = dict(zip(("holder_scheme", "holder_code", "holder_name"), holder, strict=True))
    return registered_items(license_) | names


def test_checks_of_several_are_each_recorded_for_who_asked_and_an_erased_holder_is_one_s_own(
    library: Library,
) -> None:
    service = Late(library)
    kept, erased = library.issue(FOOD), library.issue(BUSINESS, OTHER)
    library.database.secrets.destroy(erased.holder_id)
    askers = [
        Identity("system", f"client-{number}", "scjg", frozenset({Role.CLIENT})) for number in range(THREADS)
    ]
    batches = [[stated(kept, COMPANY)] * (1 + number % 3) for number in range(THREADS)]
    batches[5] = [stated(erased, OTHER)]
    asked = list(zip(askers, batches, strict=True))
    answers = at_once(information_checks(library.database, service), asked, service.opened)
    assert isinstance(answers.pop(5), ErasedError)
    del asked[5]
    promised: dict[str, str] = {}
    for (who, batch), checks in zip(asked, answers, strict=True):
        assert not isinstance(checks, Exception)
        assert [one.code for one in checks] == [0] * len(batch)
        promised |= {one.promise.core_sha256: who.id for one in checks if one.promise}
    with library.database.reading() as uow:
        found = uow.session.execute(
            select(LedgerAct.act_id, LedgerAct.actor_id).where(
                LedgerAct.kind == str(ActKind.VERIFICATION_DONE)
            )
        )
        assert {row.act_id: row.actor_id for row in found} == promised
        uses = Counter(uow.session.scalars(select(LicenseUsage.actor_id)))
    assert uses == Counter(promised.values())


def test_a_stranger_s_check_among_others_is_a_stranger_s(library: Library) -> None:
    service = Late(library)
    made = library.issue(FOOD)
    asked = [(PUBLIC, [stated(made, COMPANY)]), (PUBLIC, [stated(made, OTHER)]), (PUBLIC, [])]
    answers = at_once(information_checks(library.database, service), asked, service.opened)
    assert [[one.code for one in checks] for checks in answers if not isinstance(checks, Exception)] == [
        [0],
        [5],
        [],
    ]
