# SPDX-License-Identifier: Apache-2.0
"""``/api/v1/catalog``: no-proof rules and what must not be asked for, signed, for everybody."""

from collections.abc import Mapping
from typing import Any, Final

from apiflask import APIBlueprint
from werkzeug.wrappers import Response as BaseResponse

from cases.errors import ItemUnknownError
from cases.items import ItemCatalogue
from licenses.negative_list import SIGNATURE_TYPE, materials, rule_described, rules_listed
from licenses.rules import RuleBook
from portal.web import context
from portal.web.access import public
from portal.web.api_catalog import published
from portal.web.checks import check_limit
from portal.web.documented import Described, answers, by_status
from portal.web.schemas import RuleQuery
from storage.clock import legal_date
from storage.errors import NotFoundError
from storage.ledger.canonical import Json

blueprint = APIBlueprint("rules_api", __name__, url_prefix="/api/v1/catalog", tag="Catalogue")
_WHY: Final = "what is asked of citizens is published"
_UNRECORDED: Final = "shows rules, nothing of persons"
_NULLABLE: Final = ("rule",)


def _described(description: str, example: Mapping[str, Json], free: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 - APIFlask's own shape
    unchanged: Described = {"description": "Nothing changed since the answer with this ETag"}
    return by_status({200: answers(description, dict(example), _NULLABLE, free), 304: unchanged})


def _examples() -> tuple[dict[str, Json], dict[str, Json], dict[str, Json]]:
    rule = RuleBook.load().all()[0]
    item = ItemCatalogue.load().get(rule.body.item.code, rule.body.item.edition)
    return rules_listed([rule]), rule_described(rule), materials(item, rule)


_LIST, _RULE, _MATERIALS = _examples()


@blueprint.get("/rules")
@blueprint.doc(summary="The no-proof rules, every version", responses=_described("The list", _LIST))
@public(_WHY, unrecorded=_UNRECORDED)
def rules() -> BaseResponse:
    """Give the list."""
    check_limit()
    return published(rules_listed(context.rooms().rules.all()), SIGNATURE_TYPE)


@blueprint.get("/rules/<digest>")
@blueprint.doc(
    summary="A no-proof rule by the digest that a decision names",
    responses=_described("The rule", _RULE, ("rule",)),
)
@public(_WHY, unrecorded=_UNRECORDED)
def rule(digest: str) -> BaseResponse:
    """Give a rule, in force or not."""
    check_limit()
    found = context.rooms().rules.of_digest(digest)
    if found is None:
        raise NotFoundError
    return published(rule_described(found), SIGNATURE_TYPE)


@blueprint.get("/items/<code>/materials")
@blueprint.input(RuleQuery, location="query", arg_name="query")
@blueprint.doc(
    summary="Which materials of an item must not be asked for, and why",
    responses=_described("The list", _MATERIALS),
)
@public(_WHY, unrecorded=_UNRECORDED)
def item_materials(code: str, query: RuleQuery) -> BaseResponse:
    """Give the negative list of an item, in its newest edition or a named one."""
    check_limit()
    rooms = context.rooms()
    try:
        edition = query.edition or max(one.edition for one in rooms.items.current() if one.code == code)
        item = rooms.items.get(code, edition)
    except (ItemUnknownError, ValueError):
        raise NotFoundError from None
    day = query.on or legal_date(rooms.clock.now())
    return published(materials(item, rooms.rules.find(code, edition, day)), SIGNATURE_TYPE)
