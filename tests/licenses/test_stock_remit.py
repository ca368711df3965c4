# SPDX-License-Identifier: Apache-2.0
"""What a department may bring: in its own name, of types that its items give, or as the profile lists."""

import datetime as dt
from collections.abc import Mapping

import pytest
from dirty_stock import BUSINESS, FOOD, ISSUER_CODE, dirty, in_columns

from cases.items import ItemCatalogue
from licenses.catalogue import TypeCatalogue
from licenses.errors import CatalogueError
from licenses.stock.issuers import OwnIssuers, Remit
from licenses.stock.normaliser import Normaliser
from licenses.stock.profiles import Profile, ProfileBook

OTHER_ISSUER = "11339999DEM0010253"
OWN = OwnIssuers(ItemCatalogue.load())
SHIPPED = ProfileBook.load().get("provincial-exchange")
TODAY = dt.date(2026, 11, 24)


def listing(**lists: Mapping[str, tuple[str, ...]]) -> Profile:
    return SHIPPED.model_copy(update=lists)


def test_only_the_own_department_and_what_the_profile_lists_for_it_may_stand_as_issuer() -> None:
    profile = listing(further_issuers={"jtys": (ISSUER_CODE,)})
    assert OWN.of("scjg", profile).issuers == OWN.of("scjg-ck", profile).issuers == {ISSUER_CODE}
    assert OWN.of("jtys", profile).issuers == {OTHER_ISSUER, ISSUER_CODE}
    assert OWN.of("office", profile).issuers == OWN.of("nowhere", profile).issuers == set()


def test_types_are_those_that_items_of_the_department_give_and_those_that_the_profile_lists_for_it() -> None:
    profile = listing(legacy_types={"jtys": (FOOD,)})
    assert OWN.of("scjg", profile).types == OWN.of("scjg-ck", profile).types == {FOOD, BUSINESS}
    assert FOOD in OWN.of("jtys", profile).types
    assert FOOD not in OWN.of("jtys", SHIPPED).types
    assert OWN.of("office", profile).types == OWN.of("nowhere", profile).types == set()


@pytest.mark.parametrize(("types", "reasons"), [({FOOD}, ()), ({BUSINESS}, ("type-foreign",))])
def test_a_record_of_another_type_is_quarantined(types: set[str], reasons: tuple[str, ...]) -> None:
    remit = Remit(frozenset({ISSUER_CODE}), frozenset(types))
    result = Normaliser(SHIPPED, TypeCatalogue.load(), remit, TODAY).read(1, in_columns(dirty(13)))
    assert (result.reasons, result.draft.type_code) == (reasons, FOOD)


def test_a_legacy_type_that_the_catalogue_does_not_hold_is_refused() -> None:
    profile = listing(legacy_types={"scjg": ("11339999DEM0010178999",)})
    with pytest.raises(CatalogueError):
        Normaliser(profile, TypeCatalogue.load(), OWN.of("scjg", profile), TODAY)
