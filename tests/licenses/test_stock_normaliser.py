# SPDX-License-Identifier: Apache-2.0
"""Records of an old register are read as their profile says; what cannot be decided is never repaired."""

import datetime as dt
import json
from fractions import Fraction
from pathlib import Path

import pytest
from dirty_stock import BUSINESS, FOOD, ISSUER_CODE, KINDS, dirty, in_columns, resident, uscc
from jsonschema import Draft202012Validator

from licenses.catalogue import TypeCatalogue
from licenses.errors import CatalogueError, ProfileUnknownError
from licenses.identifiers import Shape
from licenses.stock.issuers import Remit
from licenses.stock.normaliser import Normaliser
from licenses.stock.profiles import Item, Profile, ProfileBook, SourceStatus, read_profile
from licenses.stock.reasons import Verdict, stock_reasons, verdict_of
from licenses.stock.records import Normalised, prepared

DATA = Path("licenses/data")
PROFILES = tuple(one.id for one in ProfileBook.load().all())
TODAY = dt.date(2026, 11, 24)
REMIT = Remit(frozenset({ISSUER_CODE}), frozenset({FOOD, BUSINESS}))
CLEAN = 13
"""A number whose record has no defect."""


def normaliser(profile: str = "provincial-exchange") -> Normaliser:
    return Normaliser(ProfileBook.load().get(profile), TypeCatalogue.load(), REMIT, TODAY)


def read(changes: dict[Item, str | None], profile: str = "provincial-exchange") -> Normalised:
    record = dirty(CLEAN)
    for item, text in changes.items():
        record.cells.pop(item, None)
        if text is not None:
            record.cells[item] = text
    if profile != "provincial-exchange" and Item.HOLDER_SCHEME not in changes:
        record.cells[Item.HOLDER_SCHEME] = "001"
    return normaliser(profile).read(1, in_columns(record, profile))


@pytest.mark.parametrize("kind", range(13))
def test_each_kind_of_defect_ends_as_it_must(kind: int) -> None:
    met = set()
    for number in range(kind, 40 * KINDS, KINDS):
        record = dirty(number)
        result = normaliser().read(number, in_columns(record))
        if kind == 7:
            continue  # What repeats another record is told by what is held already.
        assert (record.verdict, record.reason) == (result.verdict, record.reason), result.reasons
        assert record.reason is None or record.reason in result.reasons
        met.add(record.reason)
    assert kind in {0, 7} or met != {None}


def test_a_clean_record_is_the_same_in_all_three_spellings() -> None:
    drafts = []
    for profile in PROFILES:
        result = read({}, profile)
        assert result.verdict is Verdict.ACCEPTED
        assert result.reasons == ()
        draft = json.loads(prepared(result).read)
        drafts.append({key: value for key, value in draft.items() if key != "face"})
    assert drafts[0] == drafts[1] == drafts[2]


def test_the_original_stays_beside_what_was_read() -> None:
    cells = in_columns(dirty(1))
    result = normaliser().read(1, cells)
    assert result.original == cells
    assert result.draft.issued_on is not None
    assert result.original["issue_date"] != result.draft.issued_on.isoformat()


@pytest.mark.parametrize(
    "form",
    [
        *("20200105", "2020-1-05", "2020-01-5", "2020/01/05", "2020.1.5", "2020年1月5日", "2020-01-05-"),
        *("2020-01-05 00:00:00", "2020-01-05T00:00:00+08:00", "1578153600000", "二〇二〇年一月五日"),
        *("二○二○年一月五日", "２０２０年１月５日", "二零二零年一月五日", "二〇二〇年〇一月〇五日"),
    ],
)
def test_every_way_of_writing_a_day_gives_that_day(form: str) -> None:
    result = read({Item.ISSUED_ON: form})
    assert result.verdict is Verdict.ACCEPTED
    assert result.draft.issued_on == dt.date(2020, 1, 5)
    assert {"date-form", "date-numerals"} & set(result.reasons)


@pytest.mark.parametrize(
    "form",
    ["2020-02-30", "20201", "05/01/2020", "1-5-20", "二〇二〇年十三月一日", "二〇二〇年一月", "明年", "0"],
)
def test_what_is_no_day_is_quarantined_and_not_guessed(form: str) -> None:
    result = read({Item.ISSUED_ON: form})
    assert result.verdict is Verdict.QUARANTINED
    assert result.draft.issued_on is None


@pytest.mark.parametrize(
    "text",
    [
        *("2020-01-05至2025-01-04", "20200105-20250104", "2020年1月5日 — 2025年1月4日"),
        *("自2020.1.5起至2025.1.4止", "二〇二〇年一月五日至二〇二五年一月四日", "2020/01/05~2025/01/04"),
    ],
)
def test_first_and_last_day_in_one_column_are_separated(text: str) -> None:
    for item in (Item.VALIDITY, Item.VALID_FROM, Item.VALID_UNTIL):
        changes: dict[Item, str | None] = {Item.VALID_FROM: None, Item.VALID_UNTIL: None, item: text}
        result = read(changes)
        assert result.verdict is Verdict.ACCEPTED, (item, result.reasons)
        assert (result.draft.valid_from, result.draft.valid_until) == (
            dt.date(2020, 1, 5),
            dt.date(2025, 1, 4),
        )
        assert "dates-packed" in result.reasons


@pytest.mark.parametrize(
    ("day", "ahead"), [("2026-11-24", False), ("2026-11-25", True), ("2999-01-01", True)]
)
def test_nothing_was_issued_on_a_day_that_lies_ahead(day: str, ahead: bool) -> None:
    result = read({Item.ISSUED_ON: day, Item.VALID_UNTIL: "2999-12-30"})
    assert ("issue-date-ahead" in result.reasons) is ahead
    assert (result.verdict is Verdict.QUARANTINED) is ahead


def test_a_packed_range_that_contradicts_its_columns_is_quarantined() -> None:
    assert "dates-contradict" in read({Item.VALIDITY: "2001-01-01至2003-01-01"}).reasons


def test_years_instead_of_a_range_are_no_defect() -> None:
    assert read({Item.VALIDITY: "5年"}).reasons == ()


def test_brackets_are_folded_for_comparing_and_kept_as_they_are() -> None:
    wide, narrow = (read({Item.NUMBER: text}) for text in ("演食（2020）第１号", "演食(2020)第1号"))
    assert wide.draft.number == "演食（2020）第１号"
    assert wide.draft.number_key == narrow.draft.number_key


@pytest.mark.parametrize(
    ("word", "code", "pair"),
    [
        ("70", uscc(5), "001"),
        ("01", uscc(5), "001"),
        ("001", resident(5), "111"),
        ("002", uscc(5), "001"),
        ("01", resident(5), "111"),
        (None, uscc(5), "001"),
        (None, resident(5), "111"),
    ],
)
def test_holders_are_pairs_of_scheme_and_code_whatever_the_supplier_calls_them(
    word: str | None, code: str, pair: str
) -> None:
    result = read({Item.HOLDER_SCHEME: word, Item.HOLDER_CODE: code})
    assert result.verdict is Verdict.ACCEPTED, result.reasons
    assert [(one.scheme, one.code) for one in result.draft.parties] == [(pair, code)]


def test_the_same_word_means_another_scheme_to_another_supplier() -> None:
    person = read({Item.HOLDER_SCHEME: "001", Item.HOLDER_CODE: resident(5)})
    organisation = read({Item.HOLDER_SCHEME: "001", Item.HOLDER_CODE: uscc(5)}, "national-interface")
    assert person.draft.parties[0].scheme == "111"
    assert organisation.draft.parties[0].scheme == "001"
    assert "holder-scheme-unknown" in read({Item.HOLDER_SCHEME: "55"}).reasons


def test_several_holders_have_their_own_codes_and_shares() -> None:
    result = read(
        {
            Item.HOLDER_NAME: "演示甲商行（1/3）、演示乙商行 3分之2",
            Item.HOLDER_CODE: f"{uscc(1)}、{uscc(2)}",
        }
    )
    assert result.verdict is Verdict.ACCEPTED, result.reasons
    assert [(one.name, one.share) for one in result.draft.parties] == [
        ("演示甲商行", Fraction(1, 3)),
        ("演示乙商行", Fraction(2, 3)),
    ]


@pytest.mark.parametrize(
    ("names", "codes", "reason"),
    [
        ("演示甲商行 50%、演示乙商行 49%", f"{uscc(1)}、{uscc(2)}", "shares-open"),
        ("演示甲商行 50%、演示乙商行", f"{uscc(1)}、{uscc(2)}", "shares-open"),
        ("演示甲商行、演示乙商行、演示丙商行", f"{uscc(1)}、{uscc(2)}", "holders-unreadable"),
        ("演示甲、演示乙", resident(1), "holders-unreadable"),
        ("演示甲商行、演示乙商行", f"{uscc(1)}、{uscc(1)}", "holders-unreadable"),
    ],
)
def test_holders_that_do_not_match_are_quarantined(names: str, codes: str, reason: str) -> None:
    result = read({Item.HOLDER_NAME: names, Item.HOLDER_CODE: codes})
    assert reason in result.reasons
    assert result.verdict is Verdict.QUARANTINED


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("1.2.156.3003.2.11100000000013338W032.1.001.F", Shape.LEGACY_SHAPE),
        ("1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9", Shape.BAD_ISSUER_USCC),
        ("0123456789abcdef0123456789abcdef", Shape.LENGTH_OR_SEPARATOR),
    ],
)
def test_a_foreign_identifier_is_kept_byte_for_byte_with_its_shape(text: str, shape: Shape) -> None:
    result = read({Item.IDENTIFIER: text})
    assert (result.draft.identifier, result.draft.shape) == (text, shape)
    assert result.verdict is Verdict.ACCEPTED
    assert "identifier-foreign" in result.reasons


def test_a_missing_identifier_is_composed_only_where_the_profile_says_so() -> None:
    composed = read({Item.IDENTIFIER: None})
    assert composed.draft.identifier is not None
    assert "identifier-composed" in composed.reasons
    assert "identifier-missing" in read({Item.IDENTIFIER: None}, "national-interface").reasons
    assert "identifier-missing" in read({Item.IDENTIFIER: None, Item.NUMBER: "演食（2020）1号"}).reasons


def test_an_identifier_of_another_type_contradicts() -> None:
    other = "1.2.156.3005.2.11100000MB0143028R001.11330105002500287C.91330100TEST000001.001.L"
    assert "identifier-contradicts" in read({Item.IDENTIFIER: other}).reasons


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("有效", SourceStatus.VALID),
        ("启用", SourceStatus.VALID),
        ("注销", SourceStatus.CANCELLED),
        ("07", SourceStatus.REVOKED),
        ("NULL", SourceStatus.UNKNOWN),
        (None, SourceStatus.UNKNOWN),
    ],
)
def test_words_of_status_mean_what_the_source_s_vocabulary_says(
    word: str | None, status: SourceStatus
) -> None:
    result = read({Item.STATUS: word})
    assert result.draft.status is status
    assert (result.verdict is Verdict.QUARANTINED) == (status is SourceStatus.UNKNOWN)


@pytest.mark.parametrize(
    ("word", "last", "verdict"),
    [
        *(("失效", day, Verdict.QUARANTINED) for day in ("2099-12-31", "2026-11-24")),
        *((word, "2026-11-23", Verdict.ACCEPTED) for word in ("失效", "过期", "05")),
        ("过期", "长期", Verdict.QUARANTINED),
    ],
)
def test_what_its_source_calls_expired_is_taken_only_with_a_last_day_that_is_over(
    word: str, last: str, verdict: Verdict
) -> None:
    result = read({Item.STATUS: word, Item.VALID_UNTIL: last})
    assert result.verdict is verdict
    assert ("expired-undated" in result.reasons) is (verdict is Verdict.QUARANTINED)


OTHER_ISSUER = "11339999DEM0010253"


def test_nobody_imports_in_the_name_of_another_authority() -> None:
    result = read({Item.ISSUER_CODE: OTHER_ISSUER, Item.IDENTIFIER: None})
    assert result.verdict is Verdict.QUARANTINED
    assert "issuer-foreign" in result.reasons
    assert result.draft.issuer_code == OTHER_ISSUER


def test_a_number_that_is_a_resident_s_is_not_kept_in_clear() -> None:
    assert "number-names-person" in read({Item.NUMBER: resident(7)}).reasons


def test_two_columns_of_one_item_that_differ_are_quarantined() -> None:
    cells = in_columns(dirty(CLEAN)) | {"license_no": "演示另一编号"}
    assert "column-contradiction" in normaliser().read(1, cells).reasons


def test_a_misspelt_column_is_recognised_and_reported() -> None:
    cells = in_columns(dirty(CLEAN))
    cells["certificate_vaildate_end"] = cells.pop("certificate_validate_end")
    result = normaliser().read(1, cells)
    assert result.verdict is Verdict.ACCEPTED
    assert result.reasons == ("column-misspelt",)


@pytest.mark.parametrize("text", ["a\x00b", "a\u202eb", "长" * 200, "a\x1bb"])
def test_what_cannot_be_seen_or_is_too_long_is_quarantined(text: str) -> None:
    result = read({Item.NUMBER: text})
    assert "value-form" in result.reasons
    assert result.verdict is Verdict.QUARANTINED


@pytest.mark.parametrize("text", ["{", "[1]", '{"premises": {"a": 1}}', "[" * 5000])
def test_an_extension_that_cannot_be_read_is_quarantined(text: str) -> None:
    cells = in_columns(dirty(CLEAN)) | {"extend_info": text}
    assert "extension-unreadable" in normaliser().read(1, cells).reasons


def test_a_file_without_a_needed_column_does_not_fit() -> None:
    columns = normaliser().columns
    assert columns.missing(("certificate_number",)) >= {Item.HOLDER_CODE, Item.ISSUED_ON}
    assert not columns.missing(tuple(in_columns(dirty(CLEAN))))


@pytest.mark.parametrize("name", [f"{one}.json" for one in PROFILES])
def test_shipped_profiles_follow_the_published_schema(name: str) -> None:
    schema = json.loads((DATA / "profile.schema.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(json.loads((DATA / "profiles" / name).read_text("utf-8")))


def test_the_published_schema_is_what_profiles_are_read_by() -> None:
    schema = json.loads((DATA / "profile.schema.json").read_text("utf-8"))
    del schema["$schema"]
    assert schema == Profile.model_json_schema()


def spoilt(**changes: object) -> bytes:
    shipped = json.loads((DATA / "profiles" / "provincial-exchange.json").read_text("utf-8"))
    return json.dumps(shipped | changes).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"trust": "A"},
        {"columns": {"number": {"names": ["a"]}}},
        {"holder_schemes": [{"scheme": "s", "code": "1", "means": "000"}]},
        {"holder_schemes": [{"scheme": "s", "code": "1", "means": "001"}] * 2},
        {"dates": ["american"]},
        {"status": {"fine": ["有效"]}},
        {"further_issuers": {"scjg": ["11339999DEM0010179"]}},
        {"unknown": 1},
    ],
)
def test_a_profile_that_breaks_a_rule_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(CatalogueError) as caught:
        read_profile(spoilt(**changes), "spoilt.json")
    assert caught.value.facts["file"] == "spoilt.json"


def test_a_profile_that_maps_to_an_unknown_type_is_refused() -> None:
    profile = read_profile(spoilt(default_type="11339999DEM0010178999"), "spoilt.json")
    with pytest.raises(CatalogueError):
        Normaliser(profile, TypeCatalogue.load(), REMIT, TODAY)


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(ProfileUnknownError):
        ProfileBook.load().get("none")


def test_every_exclusion_has_reason_author_and_day() -> None:
    for profile in ProfileBook.load().all():
        for excluded in profile.excluded:
            assert excluded.reason
            assert excluded.author
            assert excluded.on


def test_reasons_have_both_languages_and_every_kind_of_defect_has_one() -> None:
    reasons = stock_reasons().values()
    assert all(one.zh and one.en.isascii() for one in reasons)
    assert {one.kind for one in reasons} == set(range(13))
    assert verdict_of(["date-form", "status-unknown", "excluded"]) is Verdict.REJECTED


def test_an_authority_without_a_code_gets_it_from_the_profile_or_is_quarantined() -> None:
    assert read({Item.ISSUER_CODE: None}).draft.issuer_code == ISSUER_CODE
    unknown = read({Item.ISSUER_CODE: None, Item.ISSUER_NAME: "演示县某局"})
    assert "issuer-missing" in unknown.reasons
    assert "issuer-code-invalid" in read({Item.ISSUER_CODE: "339900"}).reasons
