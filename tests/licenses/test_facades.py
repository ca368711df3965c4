# SPDX-License-Identifier: Apache-2.0
"""Façade profiles are data: a third dialect is a file, and no file can leave out what a service demands."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from licenses.catalogue import DATA, TypeCatalogue
from licenses.errors import CatalogueError
from licenses.facades.calls import read_call
from licenses.facades.errors import FacadeCallError
from licenses.facades.profiles import (
    DEMANDED,
    FIVE,
    ON_CASE,
    Element,
    Facade,
    Result,
    Service,
    check_paths,
    facades,
    read_facade,
)
from licenses.purposes import purposes

FOLDER = DATA.parent


def shipped(name: str = "shandong") -> dict[str, Any]:
    read: dict[str, Any] = json.loads((FOLDER / "facades" / f"{name}.json").read_text("utf-8"))
    return read


def test_the_published_schema_is_what_profiles_are_read_by() -> None:
    schema = json.loads((FOLDER / "facade.schema.json").read_text("utf-8"))
    for facade in facades():
        Draft202012Validator(schema).validate(shipped(facade.id))
    del schema["$schema"]
    assert schema == Facade.model_json_schema()


def test_every_service_that_gives_something_of_a_holder_demands_five_elements_and_a_purpose() -> None:
    for service in ON_CASE:
        assert {*FIVE, Element.PURPOSE} <= set(DEMANDED[service])
    given = {Service.TYPES, Service.VERIFY_INFORMATION, Service.VERIFY_FILE}
    assert set(Service) - ON_CASE == given
    assert Element.PURPOSE in DEMANDED[Service.VERIFY_INFORMATION]


@pytest.mark.parametrize(
    "changes",
    [
        {"fields": [one for one in shipped()["fields"] if one["element"] != "purpose"]},
        {"fields": [one for one in shipped()["fields"] if one["element"] != "case"]},
        {"fields": [*shipped()["fields"], {"element": "purpose", "place": "head", "name": "why"}]},
        {"codes": {key: one for key, one in shipped()["codes"].items() if key != "no-match"}},
        {"holder_schemes": {"1": "000"}},
        {"secrets": []},
        {"ignored": ["accessToken"]},
        {"purposes": {"办事": "curiosity"}},
        {"services": [shipped()["services"][0] | {"path": "/api/v1/licences"}]},
        {"services": [shipped()["services"][0] | {"service": "give-everything"}]},
        {"data": shipped()["data"] | {"names": {"face_cipher": "face"}}},
        {"data": shipped()["data"] | {"names": {"number": "a", "identifier": "a"}}},
        {"permits": "everything"},
    ],
    ids=str,
)
def test_a_profile_that_leaves_something_out_is_not_read(changes: dict[str, Any]) -> None:
    with pytest.raises(CatalogueError):
        read_facade(json.dumps(shipped() | changes).encode(), "spoilt.json")


def test_two_profiles_with_one_address_are_refused() -> None:
    with pytest.raises(CatalogueError):
        check_paths([facades()[0], facades()[0]])


def test_a_third_dialect_is_data_only() -> None:
    made = shipped() | {"id": "third", "services": [shipped()["services"][0] | {"path": "/rest/v1.0/zzcx"}]}
    made["fields"] = [
        one | {"name": "yongtu"} if one["element"] == "purpose" else one for one in made["fields"]
    ]
    facade = read_facade(json.dumps(made).encode(), "third.json")
    data = {one.name: "x" for one in facade.fields if one.element in DEMANDED[Service.DATA_BY_IDENTIFIER]} | {
        "yongtu": "收件受理：窗口办理"
    }
    call = read_call(facade, Service.DATA_BY_IDENTIFIER, {"data": data}, TypeCatalogue.load())
    assert call.said[Element.PURPOSE] == "accept"
    assert call.said[Element.IDENTIFIER] == "x"


def test_words_for_purposes_lead_to_published_ones() -> None:
    for facade in facades():
        assert set(facade.purposes.values()) <= set(purposes())


def test_what_is_missing_is_named_as_the_dialect_calls_it() -> None:
    for facade in facades():
        with pytest.raises(FacadeCallError) as refused:
            read_call(facade, Service.DATA_BY_IDENTIFIER, {"head": {}, "data": {}}, TypeCatalogue.load())
        field = facade.field(Element.ORGANISATION_NAME)
        assert field is not None
        assert (refused.value.result, refused.value.name) == (Result.EMPTY, field.name)
