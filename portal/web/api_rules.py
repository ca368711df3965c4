# SPDX-License-Identifier: Apache-2.0
"""``/api/v1/catalog``: no-proof rules and what must not be asked for, signed, for everybody."""

from typing import Final

from apiflask import APIBlueprint
from werkzeug.wrappers import Response as BaseResponse

from cases.errors import ItemUnknownError
from cases.items import ItemCatalogue
from licenses.negative_list import SIGNATURE_TYPE, materials, rule_described, rules_listed
from licenses.rules import RuleBook
from portal.web import context
from portal.web.access import public
from portal.web.api_catalog import published, published_as
from portal.web.checks import check_limit
from portal.web.schemas import RuleQuery
from storage.clock import legal_date
from storage.errors import NotFoundError
from storage.ledger.canonical import Json

blueprint = APIBlueprint("rules_api", __name__, url_prefix="/api/v1/catalog", tag="Catalogue")
_WHY: Final = "what is asked of citizens is published"
_UNRECORDED: Final = "shows rules, nothing of persons"
_NULLABLE: Final = ("rule",)


def _examples() -> tuple[dict[str, Json], dict[str, Json], dict[str, Json]]:
    rule = RuleBook.load().all()[0]
    item = ItemCatalogue.load().get(rule.body.item.code, rule.body.item.edition)
    return rules_listed([rule]), rule_described(rule), materials(item, rule)


_LIST, _RULE, _MATERIALS = _examples()


@blueprint.get("/rules")
@blueprint.doc(
    summary="The no-proof rules, every version", responses=published_as("The list", _LIST, _NULLABLE)
)
@public(_WHY, unrecorded=_UNRECORDED)
def rules() -> BaseResponse:
    """Give the list."""
    check_limit()
    return published(rules_listed(context.rooms().rules.all()), SIGNATURE_TYPE)


@blueprint.get("/rules/<digest>")
@blueprint.doc(
    summary="A no-proof rule by the digest that a decision names",
    responses=published_as("The rule", _RULE, _NULLABLE, ("rule",)),
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
    responses=published_as("The list", _MATERIALS, _NULLABLE),
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
