# SPDX-License-Identifier: Apache-2.0
"""The catalogue page: complete however long, and never stopped by a character the font lacks."""

import datetime as dt
from pathlib import Path

from archive_line import shared_sandbox, shared_typesetter
from pdf_text import text_of

from archive.catalogue import CatalogueFacts, catalogue_data, member_data, typeset
from archive.models import Dossier, DossierMember, Role
from cases.items import ItemCatalogue
from cases.models import Case
from documents.formats import identify
from seals.presealing import findings

NOON = dt.datetime(2026, 11, 24, 4, tzinfo=dt.UTC)
ITEMS = ItemCatalogue.load()
FACTS = CatalogueFacts(
    Dossier(
        archival_number="Z901-ZY·XK·2026·D30-00001",
        title="浙江演示甲餐饮有限公司食品经营许可核发",
        retention="D30",
        retention_zh="准予食品经营许可的案卷保管30年",
        assembled_at=NOON,
    ),
    Case(source="yctb", number="ZJ-1", accepted_at=NOON, closed_at=NOON),
    ITEMS.get("339999010002", "2026-03"),
    ITEMS.department("scjg"),
)


def member(position: int, title: str = "材料") -> DossierMember:
    return DossierMember(
        id=f"m{position}",
        position=position,
        role=str(Role.ORIGINAL),
        title=title,
        file_name=f"file-{position}.pdf",
        sha256=f"{position:064x}",
        size=position * 1000,
        pages=1,
    )


def test_a_long_catalogue_runs_over_pages_and_may_be_sealed(tmp_path: Path) -> None:
    lines = [member_data(member(position)) for position in range(2, 82)]
    pdf = typeset(shared_typesetter(), {**catalogue_data(FACTS), "members": lines})
    path = tmp_path / "catalogue.pdf"
    path.write_bytes(pdf)
    text = "".join(text_of(pdf).split())
    assert all(f"{position:064x}" in text for position in range(2, 82))
    assert (identify(path, shared_sandbox()).pages or 0) > 2
    assert findings(pdf) == []


def test_the_same_facts_give_the_same_bytes() -> None:
    data = {**catalogue_data(FACTS), "members": [member_data(member(2))]}
    assert typeset(shared_typesetter(), data) == typeset(shared_typesetter(), data)


def test_a_character_without_glyph_is_printed_as_the_mark_for_it() -> None:
    lines = [member_data(member(2, "申请书\U0001f600"), "damaged")]
    text = text_of(typeset(shared_typesetter(), {**catalogue_data(FACTS), "members": lines}))
    assert "申请书〓" in text
    assert "仅存原件" in "".join(text.split())


def test_a_title_is_data_and_never_markup() -> None:
    lines = [member_data(member(2, '#read("catalogue.typ") *[粗体]* $x$'))]
    assert "#read(" in text_of(typeset(shared_typesetter(), {**catalogue_data(FACTS), "members": lines}))
