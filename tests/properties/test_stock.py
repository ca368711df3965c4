# SPDX-License-Identifier: Apache-2.0
"""Whatever stands in a register: reading it never fails, never invents, and keeps the original."""

import datetime as dt

from dirty_stock import ISSUER_CODE, dirty, in_columns
from hypothesis import given
from hypothesis import strategies as st

from licenses.catalogue import TypeCatalogue
from licenses.stock.dates import read_date, read_range
from licenses.stock.folding import folded_number
from licenses.stock.issuers import Remit
from licenses.stock.normaliser import Normaliser
from licenses.stock.parties import read_share, shares_close
from licenses.stock.profiles import ProfileBook
from licenses.stock.reasons import Verdict, stock_reasons, verdict_of

TODAY = dt.date(2026, 11, 24)
PROFILES = ProfileBook.load().all()
REMIT = Remit(frozenset({ISSUER_CODE}), frozenset(one.code for one in TypeCatalogue.load().all()))
NORMALISERS = {one.id: Normaliser(one, TypeCatalogue.load(), REMIT, TODAY) for one in PROFILES}
days = st.dates(dt.date(1900, 1, 1), dt.date(2999, 12, 30))
signs = st.text("0123456789-/.年月日至自起止 〇一二三四五六七八九十廿*（）%、X", max_size=24)
FORMS = (
    lambda day: f"{day:%Y%m%d}",
    lambda day: f"{day.year}-{day.month}-{day.day}",
    lambda day: f"{day.year}/{day.month:02d}/{day.day:02d}",
    lambda day: f"{day.year}年{day.month}月{day.day}日",
)


@given(days, st.sampled_from(FORMS))
def test_every_form_of_every_day_reads_as_that_day(day: dt.date, form: object) -> None:
    read = read_date(form(day))  # type: ignore[operator]  # one of the functions above
    assert read is not None
    assert read.day == day


@given(days, days, st.sampled_from(FORMS), st.sampled_from(["至", "到", "—", "~", " 至 "]))
def test_two_days_in_one_text_are_those_two_days(
    start: dt.date, end: dt.date, form: object, between: str
) -> None:
    span = read_range(form(start) + between + form(end))  # type: ignore[operator]  # as above
    assert span is not None
    assert (span.start.day, span.end.day) == (start, end)


@given(signs)
def test_a_text_is_a_day_or_a_range_and_never_both(text: str) -> None:
    assert read_date(text) is None or read_range(text) is None


@given(st.text(max_size=60))
def test_folding_again_changes_nothing(text: str) -> None:
    once = folded_number(text)
    assert folded_number(once) == once


@given(st.lists(st.integers(1, 60), min_size=1, max_size=6))
def test_shares_that_are_parts_of_one_whole_close(parts: list[int]) -> None:
    whole = sum(parts)
    shares = [read_share(f"演示{place} {part}/{whole}").share for place, part in enumerate(parts)]
    assert shares_close(shares)
    assert not shares_close([*shares, shares[0]])


@given(
    st.sampled_from(sorted(NORMALISERS)),
    st.integers(0, 200),
    st.dictionaries(st.integers(0, 14), st.one_of(signs, st.text(max_size=40)), max_size=6),
)
def test_reading_never_fails_and_what_is_accepted_is_complete(
    profile: str, number: int, noise: dict[int, str]
) -> None:
    cells = in_columns(dirty(number), profile)
    names = sorted(cells)
    cells |= {names[place % len(names)]: text for place, text in noise.items()}
    kept = dict(cells)
    result = NORMALISERS[profile].read(number, cells)
    assert result.original == kept
    assert result.verdict is verdict_of(result.reasons)
    assert set(result.reasons) <= set(stock_reasons())
    if result.verdict is Verdict.ACCEPTED:
        draft = result.draft
        assert draft.type_code
        assert draft.number in {text.strip() for text in cells.values()}
        assert draft.issuer_code
        assert draft.issued_on
        assert draft.issued_on <= TODAY
        assert draft.identifier
        assert draft.parties
        assert not any("*" in one.name or "＊" in one.name for one in draft.parties)
    assert NORMALISERS[profile].read(number, cells) == result


@given(st.text(max_size=30), st.integers(1, 29))
def test_a_mask_is_never_matched(name: str, place: int) -> None:
    cells = in_columns(dirty(13)) | {"certificate_holder": f"演示{name[:place]}*{name[place:]}"}
    result = NORMALISERS["provincial-exchange"].read(1, cells)
    assert result.verdict is not Verdict.ACCEPTED
    assert result.draft.parties == ()
