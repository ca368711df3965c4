# SPDX-License-Identifier: Apache-2.0
import json
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st
from license_library import read_license_data

from cases.items import ItemCatalogue
from licenses.catalogue import TypeCatalogue, read_type
from licenses.errors import CatalogueError, LicenseDataError, UnknownTypeError
from licenses.faces import Party, complete_face, masked_face
from licenses.metadata import check_metadata, from_xml, metadata_table, to_api, to_json, to_xml

FOOD, BUSINESS, ROAD = "11339999DEM0010178001", "11100000MB0143028R001", "11100000000019713D008"
DRIVER, HYGIENE, DISPATCH = "11339999DEM0010253001", "11339999DEM001041Q001", "11339999DEM00105XG001"
HOLDER = Party("001", "91339999MADEM0011X", "演示食品有限公司")
DATA = {
    "type": FOOD,
    "number": "JY13399990000018",
    "issued_on": "2026-05-01",
    "valid_from": "2026-05-01",
    "valid_until": "2031-04-30",
    "face": {
        "legal_representative": "张演示",
        "domicile": "演示市示范路1号",
        "premises": "演示市示范路1号",
        "business_form": "食品销售经营者",
        "permitted_items": "预包装食品销售",
    },
}


def raw(name: str) -> dict[str, object]:
    file = resources.files("licenses").joinpath(f"data/types/{name}.json")
    return json.loads(file.read_text("utf-8"))


def face_of(**changes: object) -> dict[str, object]:
    data = read_license_data({**DATA, **changes})
    return dict(complete_face(TypeCatalogue.load().get(data.type), data, HOLDER, "演示市市场监督管理局"))


CONFIRMED = {
    ROAD,
    "11100000000019713D016",
    "11100000MB03271699001",
    "11100000MB03271699022",
}
"""Codes that the national catalogue is known to have."""


def test_the_types_of_a_county_load_and_the_unconfirmed_ones_say_so() -> None:
    types = {kind.code: kind for kind in TypeCatalogue.load().all()}
    assert len(types) >= 20
    assert {FOOD, BUSINESS, ROAD, DRIVER, HYGIENE, DISPATCH} <= set(types)
    assert {code for code, kind in types.items() if not kind.provisional} == CONFIRMED


def test_a_provisional_code_is_a_demo_authoritys_or_inferred() -> None:
    inferred = {BUSINESS, "11100000000013661B006"}
    for kind in TypeCatalogue.load().all():
        if kind.provisional and kind.code not in inferred:
            assert kind.code.startswith("11339999DEM"), kind.zh


def test_every_licence_type_an_item_gives_is_in_the_catalogue() -> None:
    given_types = {item.license_type for item in ItemCatalogue.load().items if item.license_type}
    assert all(code in TypeCatalogue.load() for code in given_types)


def test_a_type_without_a_valid_credit_code_cannot_load() -> None:
    broken = raw("food_operation") | {"code": "11339999DEM0010179001"}
    with pytest.raises(CatalogueError) as error:
        read_type(json.dumps(broken).encode(), "broken.json")
    assert error.value.facts["file"] == "broken.json"


@pytest.mark.parametrize(
    "change",
    [
        {"fields": [{"name": "a", "zh": "甲", "en": "a", "pinyin": "JIA"}] * 2},
        {"fields": [{"name": "a", "zh": "甲", "en": "a", "pinyin": "JIA", "type": "choice"}]},
        {"fields": [{"name": "a", "zh": "甲", "en": "a", "pinyin": "JIA", "kind": "detail"}]},
        {"holders": "several"},
        {"fields": [{"name": "A b", "zh": "甲", "en": "a", "pinyin": "JIA"}]},
        {"unknown": 1},
    ],
)
def test_contradictory_types_cannot_load(change: dict[str, object]) -> None:
    with pytest.raises(CatalogueError):
        read_type(json.dumps(raw("food_operation") | change).encode(), "broken.json")


def test_an_unpublished_type_may_wait_for_its_code_and_no_licence_is_issued_of_it() -> None:
    draft = raw("food_operation") | {"code": "11339999DEM0010179001", "state": "unpublished"}
    types = TypeCatalogue([read_type(json.dumps(draft).encode(), "draft.json")])
    assert types.get("11339999DEM0010179001").zh == "食品经营许可证"
    with pytest.raises(UnknownTypeError):
        types.to_issue("11339999DEM0010179001")


def test_no_licence_is_issued_of_a_cancelled_type_though_old_ones_are_read() -> None:
    later = raw("food_operation") | {"version": "2027-01", "state": "cancelled"}
    types = TypeCatalogue.load()
    assert types.to_issue(FOOD).version == "2026-01"
    types.adopt([read_type(json.dumps(later).encode(), "later.json")], 1)
    with pytest.raises(UnknownTypeError):
        types.to_issue(FOOD)
    assert types.get(FOOD, "2026-01").state == "published"


def test_the_newest_version_issues_and_an_older_one_stays_as_it_was() -> None:
    types = TypeCatalogue.load()
    later = read_type(json.dumps(raw("food_operation") | {"version": "2027-01", "zh": "改名"}).encode(), "x")
    altered = read_type(json.dumps(raw("food_operation") | {"zh": "改动"}).encode(), "y")
    assert types.adopt([later, altered], 1) == (altered,)
    assert types.get(FOOD).zh == "改名"
    assert types.get(FOOD, "2026-01").zh == "食品经营许可证"
    assert [one.version for one in types.versions(FOOD)] == ["2026-01", "2027-01"]
    assert sum(one.code == FOOD for one in types.all()) == 1


@pytest.mark.parametrize(
    ("issuer", "template"),
    [
        ("11330106000000000X", "county.typ"),
        ("11330105000000000X", "city.typ"),
        ("11339900000000000X", "province.typ"),
        ("11440100000000000X", "licence.typ"),
    ],
)
def test_the_nearest_division_sets_the_page(issuer: str, template: str) -> None:
    divisions = {"330106": "county.typ", "330100": "city.typ", "330000": "province.typ"}
    kind = read_type(json.dumps(raw("food_operation") | {"division_templates": divisions}).encode(), "x")
    assert kind.template_for(issuer) == template


def test_an_unknown_type_is_refused_without_echo() -> None:
    with pytest.raises(UnknownTypeError) as error:
        TypeCatalogue.load().get("999")
    assert "999" not in str(error.value)


def test_the_face_is_completed_from_holder_issuer_and_dates() -> None:
    face = face_of()
    assert face["operator"] == HOLDER.name
    assert face["valid_until"] == "2031-04-30"
    assert face["issuer"] == "演示市市场监督管理局"


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"valid_until": "2026-04-30"}, "valid_until", "before-start"),
        ({"valid_until": "2031-05-02"}, "valid_until", "longer-than-type-allows"),
        ({"valid_until": None}, "valid_until", "required"),
        ({"face": DATA["face"] | {"operator": "另一家公司"}}, "operator", "contradicts-source"),
        ({"face": DATA["face"] | {"business_form": "其他"}}, "business_form", "choice"),
        ({"face": DATA["face"] | {"premises": ""}}, "premises", "required"),
        ({"face": DATA["face"] | {"premises": "甲\n乙"}}, "premises", "length-or-control-character"),
        ({"face": DATA["face"] | {"shoe_size": "44"}}, "face", "field-unknown"),
    ],
)
def test_data_that_break_the_type_are_refused(changes: dict[str, object], field: str, rule: str) -> None:
    with pytest.raises(LicenseDataError) as error:
        face_of(**changes)
    assert error.value.facts == {"field": field, "rule": rule}


def test_a_person_cannot_hold_an_organisations_licence() -> None:
    data = read_license_data(DATA)
    person = Party("111", "339999190001010012", "张演示")
    with pytest.raises(LicenseDataError):
        complete_face(TypeCatalogue.load().get(FOOD), data, person, "局")


def test_sensitive_fields_are_masked() -> None:
    masked = masked_face(TypeCatalogue.load().get(FOOD), face_of(), person=False)
    assert masked["legal_representative"] == "张*"
    assert masked["operator"] == HOLDER.name
    assert masked_face(TypeCatalogue.load().get(FOOD), face_of(), person=True)["operator"] == "演*"


ITEMS = {row.item: f'值 <{row.item}> & "x"' for row in metadata_table().items}


def test_embedded_xml_reads_back_every_item_that_has_a_key() -> None:
    kind, face = TypeCatalogue.load().get(FOOD), face_of()
    found = from_xml(to_xml(ITEMS, kind, face))
    keyed = {row.item for row in metadata_table().items if row.pinyin}
    assert {name: found[name] for name in keyed} == {name: ITEMS[name] for name in keyed}
    assert found["KZ_ZTYT"] == "食品销售经营者"


def test_the_misspelt_element_of_real_files_is_accepted_on_import() -> None:
    kind = TypeCatalogue.load().get(FOOD)
    misspelt = to_xml(ITEMS, kind, face_of()).replace(b"CustomData", b"CuslomData")
    assert from_xml(misspelt)["identifier"] == ITEMS["identifier"]


@pytest.mark.parametrize(
    "data",
    [
        b"<a/>",
        b"<CustomDatas>",
        b'<!DOCTYPE x [<!ENTITY e "v">]><CustomDatas><CustomData Name="ZZBS">&e;</CustomData></CustomDatas>',
        b"<CustomDatas>" + b" " * 300_000 + b"</CustomDatas>",
    ],
)
def test_hostile_or_foreign_xml_is_refused(data: bytes) -> None:
    with pytest.raises(LicenseDataError):
        from_xml(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_never_crash(data: bytes) -> None:
    try:
        from_xml(data)
    except LicenseDataError:
        return


def test_json_uses_the_national_names() -> None:
    kind, face = TypeCatalogue.load().get(FOOD), face_of()
    read = json.loads(to_json(ITEMS, kind, face))
    assert read == json.loads(json.dumps(to_api(ITEMS, kind, face)))
    assert read["certificateID"] == ITEMS["identifier"]
    assert {
        "name": "主体业态",
        "value": "食品销售经营者",
        "valueType": "text",
        "columnName": "ZTYT",
    } not in read["surface"]
    assert {
        "name": "主体业态",
        "value": "食品销售经营者",
        "valueType": "choice",
        "columnName": "ZTYT",
    } in read["surface"]


def test_required_metadata_must_be_there() -> None:
    with pytest.raises(LicenseDataError):
        check_metadata(ITEMS | {"identifier": ""})
