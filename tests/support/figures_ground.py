# SPDX-License-Identifier: Apache-2.0
"""Cases with what was asked, collected and committed for them, and the figures counted by hand."""

import datetime as dt
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fakes import make_database
from hypothesis import strategies as st
from rule_world import UPLOAD, licence, requirement, rule
from sqlalchemy import delete

from archive.models import Filing, FilingMaterial
from cases.models import Case
from licenses.ladder.models import LadderEvent, LadderRung
from licenses.models import LicenseUsage
from licenses.rules import RuleBook
from storage.clock import start_of_day
from storage.database import Database

ITEM, FREE = "339999010002", "339999010003"
FIRST: Final = dt.date(2026, 11, 2)
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
LATER: Final = FIRST + DAY * 5
"""First day of the rule's second version, which abolishes R2."""
MATERIALS = {"R1": "premises", "R2": "health", "R3": "photo"}
ANSWERS = (
    ("MET", "R.ESTABLISHED"),
    ("MET", "R.COLLECTED"),
    ("PROVISIONAL", "R.COMMITTED"),
    ("PENDING", "R.ASKED_DEPARTMENT"),
    ("UNKNOWN", "R.NOT_FOUND"),
    ("NOT_MET", "R.EXPIRED"),
)


def rules() -> RuleBook:
    """Give a rule in two versions: of three proofs, one has no automatic way and one is abolished later."""
    ways: dict[str, Any] = {
        name: requirement([licence()], name=name, material=MATERIALS[name]) for name in ("R1", "R2")
    }
    by_hand = requirement(name="R3", material=MATERIALS["R3"], fallback=[UPLOAD])
    gone = requirement(name="R2", material=MATERIALS["R2"], fallback=[], cancelled="某规定第二条")
    return RuleBook(
        [
            rule(*ways.values(), by_hand),
            rule(ways["R1"], gone, by_hand, version=2, effective=[LATER.isoformat(), None]),
        ]
    )


@dataclass(frozen=True)
class Asked:
    """One answer to a requirement, hours after the case was accepted."""

    requirement: str
    answer: tuple[str, str]
    hours: int


@dataclass(frozen=True)
class Drawn:
    """A case as a test draws it."""

    item: str = ITEM
    organisation: str = "scjg"
    accepted: int = 0
    takes: int | None = 3
    state: str | None = "filed"
    brought: frozenset[str] = frozenset()
    asked: tuple[Asked, ...] = ()
    collected: frozenset[str] = frozenset()

    @property
    def accepted_at(self) -> dt.datetime:
        return start_of_day(FIRST + DAY * self.accepted) + HOUR * 9

    @property
    def closed_at(self) -> dt.datetime | None:
        return None if self.takes is None else self.accepted_at + DAY * self.takes

    @property
    def filed(self) -> bool:
        return self.closed_at is not None and self.state == "filed"

    def newest(self, name: str, before: dt.datetime) -> tuple[str, str] | None:
        """Give the newest answer to a requirement by an instant."""
        known = [one for one in self.asked if one.requirement == name]
        known = [one for one in known if self.accepted_at + HOUR * one.hours <= before]
        return max(known, key=lambda one: one.hours).answer if known else None

    def verdict(self, name: str) -> str | None:
        """Give what is to be said of the proof of a requirement; nothing when it was not collected."""
        if self.item != ITEM or (MATERIALS[name] not in self.brought and name not in self.collected):
            return None
        if name == "R2" and FIRST + DAY * self.accepted >= LATER:
            return "abolished"
        if name == "R3" or name in self.collected:
            return "allowed"
        assert self.closed_at is not None
        answer = self.newest(name, self.closed_at)
        if answer is None:
            return "not-asked-first"
        return "established" if answer[0] in {"MET", "PROVISIONAL"} else "allowed"


_NAMES = st.sampled_from(sorted(MATERIALS))
_ASKED = st.lists(
    st.builds(Asked, _NAMES, st.sampled_from(ANSWERS), st.integers(0, 120)),
    max_size=6,
    unique_by=lambda one: one.hours,
).map(tuple)
CASES = st.lists(
    st.builds(
        Drawn,
        item=st.sampled_from([ITEM, ITEM, FREE]),
        organisation=st.sampled_from(["scjg", "jtys"]),
        accepted=st.integers(0, 9),
        takes=st.none() | st.integers(0, 6),
        state=st.sampled_from(["filed", "filed", "returned", None]),
        brought=st.frozensets(st.sampled_from(["application-form", *MATERIALS.values()])),
        asked=_ASKED,
        collected=st.frozensets(_NAMES, max_size=1),
    ),
    max_size=8,
)


@dataclass
class FiguresGround:
    """A database that holds drawn cases.

    Args:
        folder: Where it lies.
    """

    folder: Path
    database: Database = field(init=False)

    def __post_init__(self) -> None:
        self.database = make_database(self.folder)
        self._made = 0

    def _id(self) -> str:
        self._made += 1
        return f"{self._made:026d}"

    def put(self, cases: Iterable[Drawn]) -> None:
        """Store the cases with all that belongs to them, in the place of what was there."""
        with self.database.writing() as uow:
            for table in (Case, Filing, FilingMaterial, LicenseUsage, LadderRung):
                uow.session.execute(delete(table))
            for one in cases:
                uow.session.add_all(self._rows(one))

    def _rows(self, one: Drawn) -> list[Any]:
        case = Case(
            id=self._id(),
            source="ycsl",
            number=f"N-{self._made}",
            item_code=one.item,
            item_edition="2026-03",
            holder_id="holder",
            organisation=one.organisation,
            accepted_at=one.accepted_at,
            closed_at=one.closed_at,
            announced_at=one.accepted_at,
        )
        filing = self._filing(case, one) if one.state is not None and one.closed_at is not None else []
        uses = [self._use(case, asked, one.accepted_at + HOUR * asked.hours) for asked in one.asked]
        rungs = [self.rung(case, name, "citizen_upload") for name in sorted(one.collected)]
        return [case, *filing, *uses, *rungs]

    def _filing(self, case: Case, one: Drawn) -> Sequence[Any]:
        stated = {"case_id": case.id, "attempt": 1, "set_sha256": "", "content_sha256": "", "result": "x"}
        files = {"metadata_sha256": "", "metadata_sm3": "", "metadata_size": 1}
        filing = Filing(
            id=self._id(),
            state=one.state,
            organisation=one.organisation,
            item_code=one.item,
            item_edition="2026-03",
            accepted_at=case.accepted_at,
            closed_at=case.closed_at,
            findings=[],
            original_only=0,
            received_at=case.closed_at,
            received_by="x",
            **stated,
            **files,
        )
        groups = [*((code, "application") for code in sorted(one.brought)), ("decision", "result")]
        return [filing, *(self._material(filing, place, *two) for place, two in enumerate(groups))]

    def _material(self, filing: Filing, place: int, code: str, group: str) -> FilingMaterial:
        sent = {"declared_type": "", "declared_sha256": "", "declared_size": 1, "sha256": "", "sm3": ""}
        return FilingMaterial(
            id=self._id(),
            filing_id=filing.id,
            position=place,
            code=code,
            group_code=group,
            names_cipher=b"",
            size=1,
            outcome="kept",
            attempts=[],
            **sent,
        )

    def _use(self, case: Case, asked: Asked, at: dt.datetime) -> LicenseUsage:
        result, reason = asked.answer
        return LicenseUsage(
            id=self._id(),
            at=at,
            action="ask",
            holder_id=case.holder_id,
            case_id=case.id,
            item_code=case.item_code,
            basis="case",
            actor_id="clerk-1",
            organisation=case.organisation,
            asked=asked.requirement if asked.requirement == "R3" else f"{asked.requirement} scope contains",
            result=result,
            reason=reason,
            decision_id=f"decision-{self._made}",
        )

    def rung(
        self, case: Case, name: str, kind: str, at: dt.datetime | None = None, **more: Any
    ) -> LadderRung:
        """Make a rung of a case."""
        stated = {"decision_id": "", "rule_digest": "", "purpose": "accept", "taken_by": "clerk-1"}
        return LadderRung(
            id=self._id(),
            case_id=case.id,
            holder_id=case.holder_id,
            item_code=case.item_code,
            kind=kind,
            requirement=name,
            material=MATERIALS[name],
            organisation=case.organisation,
            taken_at=at or case.accepted_at,
            **({"state": "collected"} | stated | more),
        )

    def event(
        self, rung: LadderRung, place: int, kind: str, at: dt.datetime, due: dt.datetime | None = None
    ) -> LadderEvent:
        """Make an event of a rung."""
        return LadderEvent(
            id=self._id(),
            rung_id=rung.id,
            position=place,
            kind=kind,
            at=at,
            due=due,
            actor_id="x",
            organisation="x",
        )


def middle(values: Sequence[int]) -> float | None:
    """Give the median of numbers."""
    return statistics.median(values) if values else None
