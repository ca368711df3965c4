# SPDX-License-Identifier: Apache-2.0
"""The step ``ladder.form``: the form of an accepted commitment is set, sealed and stored, for its dossier.

``plan`` fixes the words and records the intended use of a seal; ``perform`` sets, seals, stores; ``record``
writes down the use and the file's digest. A form is made once, of what was told and agreed until then.
"""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Final, cast

from cases.holders import HolderService
from cases.items import ItemCatalogue
from cases.models import Case, Holder
from documents.ports import Typesets
from licenses.errors import CatalogueError
from licenses.ladder.events import Spoken, act_of, events_of
from licenses.ladder.models import LadderRung
from licenses.ladder.states import RungEventKind
from licenses.ladder.terms import LadderTerms
from licenses.layout import zh_date
from licenses.rule_definition import Commitment, Requirement
from licenses.rules import RuleBook
from seals.orders import Placement, SealFacts, SealOrder, SealRequest
from seals.sealing import SealingService
from storage.clock import SHANGHAI, legal_date, parse_rfc3339, rfc3339
from storage.database import UnitOfWork
from storage.failpoints import failpoint
from storage.identity import AccessBasis, Basis, Identity, system_identity
from storage.ledger.canonical import Json
from storage.ledger.kinds import ActKind
from storage.objects.ports import ObjectStore
from storage.steps import Job, Later, Staging, mapping_of

FORM_STEP: Final = "ladder.form"
MEDIA_TYPE: Final = "application/pdf"
TITLE: Final = "证明事项告知承诺书"
_ONLINE: Final = "承诺人（在线）"
_FILE: Final = "commitment.pdf"
_TEMPLATE: Final = Path(str(resources.files("licenses.ladder").joinpath("templates/commitment.typ")))
_STAMP: Final = Placement(page=1, x_mm=140.0, y_mm=236.0, size_mm=40.0)
"""Over the department's name."""
_CHECKS: Final = {
    "written": "书面核查",
    "online": "网络核查",
    "on_site": "现场核查",
    "public_notice": "公示核查",
}
_SAID: Final = {
    RungEventKind.TOLD: "已告知",
    RungEventKind.COMMITTED: "已承诺",
    RungEventKind.ACCEPTED: "已受理",
}


class FormStep:
    """Makes the forms of accepted commitments.

    Args:
        rules: The rules, for what is committed to.
        items: Names of items and departments.
        holders: Reveals the holder for the page.
        typesetter: Sets the page.
        sealing: Seals it with a seal of the department that handles the case.
        objects: Where the file goes.
        demo: Whether the page must say 演示.
    """

    def __init__(
        self,
        rules: RuleBook,
        items: ItemCatalogue,
        holders: HolderService,
        typesetter: Typesets,
        sealing: SealingService,
        objects: ObjectStore,
        *,
        demo: bool,
    ) -> None:
        self._rules = rules
        self._items = items
        self._holders = holders
        self._typesetter = typesetter
        self._sealing = sealing
        self._objects = objects
        self._demo = demo

    @property
    def kind(self) -> str:
        """Name in the table of steps."""
        return FORM_STEP

    def plan(self, uow: UnitOfWork, job: Job) -> Json | Later:
        """Fix the page and record the intended use of a seal; ``None`` when the form is made.

        When no enabled seal covers the form, the refusal is recorded and the step waits.
        """
        row = uow.session.get_one(LadderRung, job.subject)
        if row.form_sha256 is not None:
            return None
        request = SealRequest(
            department=row.organisation,
            item=row.item_code,
            document_type="commitment",
            case=row.case_id,
            object_id=row.id,
            subject=row.holder_id,
            stamp=_STAMP,
        )
        orders = self._sealing.plan_all(uow, _worker(row), [request])
        if isinstance(orders, Later):
            return orders
        return self._page(uow, row) | {
            "rung": row.id,
            "at": rfc3339(uow.clock.now()),
            "order": orders[0].as_json(),
        }

    def perform(self, plan: Json, staging: Staging) -> Json:
        """Set, seal, store; no transaction is open."""
        plan = mapping_of(plan)
        at = parse_rfc3339(str(plan["at"]))
        page = self._typesetter.typeset(_TEMPLATE, cast(Mapping[str, Json], plan["data"]), (), at)
        sealed = self._sealing.perform(SealOrder.from_json(plan["order"]), page)
        staging.write(_FILE, sealed.data)
        failpoint("ladder.form.after-seal")
        stored = self._objects.put(staging.path(_FILE), MEDIA_TYPE)
        return {"sha256": stored.sha256, "size": stored.size, "facts": sealed.facts.as_json()}

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None:
        """Write down the use of the seal and the form."""
        plan, result = mapping_of(plan), mapping_of(result)
        row = uow.session.get_one(LadderRung, job.subject)
        worker, order = _worker(row), SealOrder.from_json(plan["order"])
        self._sealing.record(uow, worker, order, SealFacts.from_json(result["facts"]))
        row.form_sha256, row.form_size = str(result["sha256"]), cast(int, result["size"])
        uow.session.flush()
        uow.record(act_of(ActKind.RUNG_CHANGED, worker, row, [row], [row.kind, "form"], row.form_sha256))
        failpoint("ladder.form.before-record")

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None:
        """Close the intended use of the seal; the form is planned anew."""
        row = uow.session.get_one(LadderRung, job.subject)
        self._sealing.abandon(uow, _worker(row), SealOrder.from_json(mapping_of(plan)["order"]))

    def _page(self, uow: UnitOfWork, row: LadderRung) -> dict[str, Json]:
        case = uow.session.get_one(Case, row.case_id)
        item = self._items.get(case.item_code, case.item_edition)
        holder = self._holders.reveal(uow, uow.session.get_one(Holder, row.holder_id))
        department = self._items.department(row.organisation).zh
        requirement, basis = self._requirement(row)
        way = requirement.rung("commitment")
        if not isinstance(way, Commitment):
            raise CatalogueError(rule="commitment")
        facts = [
            ["办件编号", case.number],
            ["事项", f"{item.zh}（{item.code}）"],
            ["承诺人", holder.name],
            ["证件号码", holder.code],
            ["证明名称", requirement.zh],
            ["设定依据", "；".join(basis)],
            ["办理机关", department],
        ]
        events = [
            [f"{one.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}", _SAID[one.kind], _who(one, row)]
            for one in events_of(uow, row)
            if one.kind in _SAID
        ]
        return {
            "data": {
                "title": TITLE,
                "demo": self._demo,
                "facts": cast(Json, facts),
                "told": cast(Json, told(requirement.zh, _CHECKS[way.check])),
                "committed": _committed(requirement.zh),
                "events": cast(Json, events),
                "department": department,
                "date": zh_date(legal_date(uow.clock.now())),
            }
        }

    def _requirement(self, row: LadderRung) -> tuple[Requirement, tuple[str, ...]]:
        rule = self._rules.of_digest(row.rule_digest)
        found = [one for one in rule.body.requirements if one.id == row.requirement] if rule else []
        if rule is None or not found:
            raise CatalogueError(rule="rule-missing")
        return found[0], rule.body.legal_basis


def told(proof: str, check: str) -> list[str]:
    """Give what a holder is told before committing, sentence by sentence."""
    days = LadderTerms.load().rectify_working_days
    return [
        f"作出书面承诺后，无需提交“{proof}”。",
        f"办理机关事后核查，方式：{check}。",
        f"承诺不实的，依法作出不利决定，限{days}个工作日内整改，可撤销决定；整改前不再适用告知承诺。",
        "申请人可以不作承诺，改为提交证明。",
    ]


def _committed(proof: str) -> str:
    return (
        f"承诺人已知晓上述告知事项，承诺“{proof}”所证明的情况真实存在、符合要求，愿意接受核查，"
        "并承担承诺不实的法律责任。"
    )


def _who(event: Spoken, row: LadderRung) -> str:
    """Name who did it: an official by the account, the holder by what they are here."""
    return _ONLINE if event.actor_id == row.holder_id else event.operator or event.actor_id


def _worker(row: LadderRung) -> Identity:
    basis = AccessBasis(Basis.CASE, row.case_id, row.item_code, row.purpose)
    return system_identity("worker", row.organisation).on(basis)
