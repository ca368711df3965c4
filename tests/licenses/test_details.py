# SPDX-License-Identifier: Apache-2.0
"""Details, several holders with shares, ranges and forms: what data a type takes, and what of it is shown."""

import json
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from license_library import PERSON, read_license_data

from licenses.catalogue import TypeCatalogue
from licenses.definition import Column, LicenseType
from licenses.errors import LicenseDataError
from licenses.faces import Party, complete_face, masked_face, shown_text
from licenses.layout import face_data
from licenses.metadata import from_xml, to_api, to_xml
from licenses.preview import sample_face
from licenses.values import FieldType, broken_rule, share

ESTATE, FOOD = "11100000MB03271699001", "11339999DEM0010178001"
HOLDER = Party(*PERSON)
OWNER = {"name": PERSON[2], "code": PERSON[1]}
OTHER = {"name": "李演示", "code": "339999190001010020"}
TOGETHER = {"scheme": "111", **OTHER}


def estate() -> LicenseType:
    return TypeCatalogue.load().get(ESTATE)


def face_of(owners: Any = None, also: Sequence[Any] = (), own_share: str | None = None) -> dict[str, Any]:
    face = sample_face(estate()) | {"owners": owners}
    filled = {"number", "issuer", "issued_on", "first_owner"}
    stated = {name: value for name, value in face.items() if name not in filled and value}
    data = {"type": ESTATE, "number": "1", "issued_on": "2026-05-01", "face": stated}
    data |= {"co_holders": list(also), "share": own_share}
    return dict(complete_face(estate(), read_license_data(data), HOLDER, "演示局"))


def refused(*args: Any, **stated: Any) -> dict[str, Any]:
    with pytest.raises(LicenseDataError) as error:
        face_of(*args, **stated)
    return dict(error.value.facts)


def test_the_holders_are_listed_with_their_shares() -> None:
    face = face_of(also=[TOGETHER | {"share": "2/3"}], own_share="1/3")
    assert face["owners"] == [OWNER | {"share": "1/3"}, OTHER | {"share": "2/3"}]
    assert face_of()["owners"] == [OWNER]


def test_rows_that_are_stated_must_say_who_holds_it() -> None:
    assert face_of([OWNER, OTHER], [TOGETHER])["owners"] == [OWNER, OTHER]
    assert refused([OWNER, OTHER])["rule"] == "contradicts-source"


@pytest.mark.parametrize(
    ("owners", "field", "rule"),
    [
        ([OTHER], "owners", "contradicts-source"),
        ([OWNER | {"code": OTHER["code"]}], "owners", "contradicts-source"),
        ([OWNER, OWNER], "owners", "contradicts-source"),
        ([OWNER | {"share": "100%"}], "owners", "contradicts-source"),
        ([OWNER | {"share": "half"}], "owners.share", "pattern"),
        ([OWNER | {"colour": "red"}], "owners", "field-unknown"),
        ([{"code": PERSON[1]}], "owners.name", "required"),
        ([OWNER | {"name": 7}], "owners.name", "text"),
        ("张演示", "owners", "rows"),
        ([OWNER | {"name": f"第{number}人"} for number in range(51)], "owners", "too-many-rows"),
    ],
)
def test_rows_that_contradict_the_type_or_the_case_are_refused(owners: Any, field: str, rule: str) -> None:
    assert refused(owners) == {"field": field, "rule": rule}


@pytest.mark.parametrize(("own", "other"), [("1/2", "1/3"), ("100%", None), (None, "1/2"), ("60%", "60%")])
def test_shares_that_do_not_make_the_whole_are_refused(own: str | None, other: str | None) -> None:
    refusal = refused(also=[TOGETHER | {"share": other}], own_share=own)
    assert refusal == {"field": "share", "rule": "shares-not-whole"}


def test_a_type_with_one_holder_takes_no_further_ones() -> None:
    data = read_license_data(
        {"type": FOOD, "number": "1", "issued_on": "2026-05-01", "co_holders": [TOGETHER]}
    )
    with pytest.raises(LicenseDataError) as error:
        complete_face(
            TypeCatalogue.load().get(FOOD), data, Party("001", "91339999MADEM0011X", "甲"), "演示局"
        )
    assert error.value.facts == {"field": "co_holders", "rule": "one-holder"}


def test_a_required_detail_must_have_a_row() -> None:
    kind = TypeCatalogue.load().get("11339999DEM0020449003")
    face = {name: value for name, value in sample_face(kind).items() if name != "qualifications"}
    face = {name: value for name, value in face.items() if kind.field(name).source is None}  # type: ignore[union-attr] # it is there
    data = {"type": kind.code, "number": "1", "issued_on": "2026-05-01", "valid_from": "2026-05-01"}
    made = read_license_data(data | {"valid_until": "2030-05-01", "face": face})
    with pytest.raises(LicenseDataError) as error:
        complete_face(kind, made, Party("001", "91339999MADEM0011X", "甲"), "演示局")
    assert error.value.facts == {"field": "qualifications", "rule": "required"}


@given(st.lists(st.integers(1, 200), min_size=2, max_size=12))
def test_shares_are_taken_exactly_when_they_make_the_whole(parts: list[int]) -> None:
    total = sum(parts)
    also = [
        {"scheme": "099", "code": f"C{n}", "name": f"演示{n}", "share": f"{p}/{total}"}
        for n, p in enumerate(parts)
    ]
    own = str(also.pop()["share"])
    assert len(face_of(also=also, own_share=own)["owners"]) == len(parts)
    assert refused(also=[*also, TOGETHER | {"share": "1/4000"}], own_share=own)["rule"] == "shares-not-whole"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1/2", Fraction(1, 2)),
        ("12.5%", Fraction(1, 8)),
        ("0%", None),
        ("3/2", None),
        ("1/0", None),
        ("½", None),
    ],
)
def test_a_share_is_more_than_nothing_and_at_most_all(text: str, read: Fraction | None) -> None:
    assert share(text) == read


def item(**changes: Any) -> Column:
    return Column.model_validate({"name": "a", "zh": "甲", "en": "a", "pinyin": "JIA"} | changes)


@pytest.mark.parametrize(
    ("changes", "value", "rule"),
    [
        ({"type": "decimal", "precision": 2, "min": "0.5", "max": "10"}, "10.00", None),
        ({"type": "decimal", "precision": 2}, "1.234", "decimal"),
        ({"type": "decimal", "precision": 2}, "01.2", "decimal"),
        ({"type": "decimal", "precision": 2, "min": "0.5"}, "0.49", "range"),
        ({"type": "integer", "max_length": 3, "max": "200"}, 201, "range"),
        ({"type": "integer", "max_length": 3}, True, "integer"),
        ({"type": "date", "min": "2000-01-01"}, "1999-12-31", "range"),
        ({"pattern": "uscc"}, "91339999MADEM0011Y", "pattern"),
        ({"pattern": "unit-number"}, "339999001001GB00001F00010001", None),
        ({"pattern": "phone"}, "0571-85850000", None),
        ({"pattern": "permit-number"}, "演（2026）第1号", None),
        ({"pattern": "permit-number"}, "演<2026>", "pattern"),
    ],
)
def test_a_value_is_held_to_range_and_form(changes: dict[str, Any], value: object, rule: str | None) -> None:
    assert broken_rule(item(**changes), value) == rule


@given(st.sampled_from(list(FieldType)), st.one_of(st.text(), st.integers(), st.none(), st.lists(st.text())))
def test_any_value_is_judged_and_none_crashes_the_judge(kind: FieldType, value: object) -> None:
    broken_rule(item(type=kind, max="5"), value) if kind is not FieldType.DATE else None


def test_sensitive_cells_are_masked_and_not_searched() -> None:
    face = face_of(own_share="100%")
    masked = masked_face(estate(), face, person=True)
    assert masked["owners"] == [{"name": "张*", "code": "3399**********0012", "share": "100%"}]
    words = "\n".join(shown_text(estate(), face, person=True))
    assert "100%" in words
    assert PERSON[1] not in words
    assert PERSON[2] not in words


def test_a_detail_is_a_table_on_the_page_and_what_is_not_shown_is_in_the_metadata_only() -> None:
    face = face_of()
    page = face_data(estate(), face)
    assert page["details"] == [
        {"zh": "权利人", "columns": ["姓名或名称", "证件号", "共有比例"], "rows": [[*OWNER.values(), ""]]}
    ]
    assert "登记申请权利人" not in json.dumps(page, ensure_ascii=False)
    assert to_api({}, estate(), face)["detail"] == [
        {"name": "权利人", "columnName": "QLR", "rows": [{"XMHMC": OWNER["name"], "ZJH": OWNER["code"]}]}
    ]
    found = from_xml(to_xml({}, estate(), face))
    assert json.loads(found["KZ_QLR"]) == [{"XMHMC": OWNER["name"], "ZJH": OWNER["code"]}]
    assert found["KZ_DJSQQLR"] == PERSON[2]
