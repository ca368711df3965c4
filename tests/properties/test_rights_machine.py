# SPDX-License-Identifier: Apache-2.0
"""In whatever order rights are asked for, decided and forgotten: nobody has one that two did not agree on."""

import datetime as dt
import shutil
import tempfile
from pathlib import Path

import hypothesis
from fakes import HandClock, make_database
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import select

from portal.accounts.changes import RightChanges
from portal.accounts.models import Account, RightChange
from portal.accounts.posts import posts_of
from portal.accounts.rights import ADMINISTRATORS, EXCLUSIVE, NewAccount, add_account
from portal.accounts.second_person import OPEN_FOR, DecisionState
from storage.errors import CunzhengError
from storage.identity import Identity, Role, system_identity

ORGANISATIONS = ("scjg", "dsj", "office")
ROLES = (Role.CLERK, Role.ARCHIVIST, Role.SUPERVISOR, *ADMINISTRATORS)
roles = st.frozensets(st.sampled_from(ROLES), max_size=2)
Posts = dict[str, frozenset[Role]]


class Rights(RuleBasedStateMachine):
    """The model: posts of each account, and what each open change would make of them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = HandClock()
        self.database = make_database(self.folder, self.clock)
        self.rights = RightChanges()
        self.model: dict[str, Posts] = {}
        self.open: dict[str, tuple[str, str, frozenset[Role], str, dt.datetime]] = {}
        for role in (*ADMINISTRATORS, Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.CLERK):
            new = NewAccount(name="演示", organisation="office", roles=frozenset({role}))
            with self.database.writing() as uow:
                account = add_account(uow, system_identity("test"), new)
                self.model[account.id] = posts_of(account)

    def teardown(self) -> None:
        self.database.close()
        shutil.rmtree(self.folder)

    def who(self, number: int) -> Identity:
        account = list(self.model)[number % len(self.model)]
        held = frozenset().union(*self.model[account].values())
        return Identity("person", account, "office", held)

    @rule(by=st.integers(0, 5), of=st.integers(0, 5), where=st.sampled_from(ORGANISATIONS), held=roles)
    def ask(self, by: int, of: int, where: str, held: frozenset[Role]) -> None:
        asks, concerned = self.who(by), self.who(of).id
        try:
            with self.database.writing() as uow:
                change = self.rights.change_post(uow, asks, concerned, where, held, "理由")
                key = change.id
        except CunzhengError:
            return
        assert Role.SYSTEM_ADMIN in asks.roles
        self.open[key] = (concerned, where, held, asks.id, self.clock.now())

    @precondition(lambda self: self.open)
    @rule(by=st.integers(0, 5), which=st.integers(0, 20))
    def approve(self, by: int, which: int) -> None:
        decides = self.who(by)
        key = list(self.open)[which % len(self.open)]
        concerned, where, held, asked_by, asked_at = self.open[key]
        try:
            with self.database.writing() as uow:
                self.rights.approve(uow, decides, key, "同意")
        except CunzhengError:
            return
        assert Role.SECURITY_ADMIN in decides.roles
        assert decides.id not in {asked_by, concerned}
        assert self.clock.now() < asked_at + OPEN_FOR
        del self.open[key]
        posts = {code: given for code, given in self.model[concerned].items() if code != where}
        self.model[concerned] = posts | ({where: held} if held else {})

    @precondition(lambda self: self.open)
    @rule(by=st.integers(0, 5), which=st.integers(0, 20), how=st.sampled_from(["refuse", "withdraw"]))
    def end(self, by: int, which: int, how: str) -> None:
        key = list(self.open)[which % len(self.open)]
        try:
            with self.database.writing() as uow:
                getattr(self.rights, how)(uow, self.who(by), key, "不同意")
        except CunzhengError:
            return
        del self.open[key]

    @rule(days=st.sampled_from([1, 8]))
    def wait(self, days: int) -> None:
        self.clock.advance(days * 86_400.0)

    @invariant()
    def rights_are_what_was_agreed(self) -> None:
        with self.database.reading() as uow:
            found = {one.id: posts_of(one) for one in uow.session.scalars(select(Account))}
            waiting = set(
                uow.session.scalars(select(RightChange.id).where(RightChange.state == DecisionState.OPEN))
            )
        assert found == self.model
        assert waiting == set(self.open)

    @invariant()
    def nobody_holds_roles_that_exclude_each_other_and_every_administrator_is_there(self) -> None:
        all_held = [frozenset().union(*posts.values()) for posts in self.model.values()]
        for held in all_held:
            for group in EXCLUSIVE:
                assert sum(1 for members in group if not held.isdisjoint(members)) <= 1
        assert frozenset(ADMINISTRATORS) <= frozenset().union(*all_held)


TestRights = Rights.TestCase
TestRights.settings = hypothesis.settings(max_examples=30, stateful_step_count=25, deadline=None)
