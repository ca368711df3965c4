# SPDX-License-Identifier: Apache-2.0
"""What materials are called: by the item's catalogue, numbered, and never by what somebody typed."""

from pathlib import Path

import pytest
from fakes import make_database

from archive.models import FilingMaterial
from archive.names import SentNames, labels, protect, sent_names, stored_name, titles
from cases.items import ItemCatalogue
from storage.secrets import ErasedError

ITEM = ItemCatalogue.load().get("339999010002", "2026-03")
CODES = ["layout", "application-form", "layout", "张三", "李四"]


def test_several_files_of_one_code_are_numbered() -> None:
    rule = ITEM.material("layout")
    form = ITEM.material("application-form")
    assert rule
    assert form
    found = titles(ITEM, CODES)[:3]
    assert [one.zh for one in found] == [f"{rule.zh}（1）", form.zh, f"{rule.zh}（2）"]
    assert [one.en for one in found] == [f"{rule.en} (1)", form.en, f"{rule.en} (2)"]


def test_a_label_never_repeats_a_code_that_the_item_does_not_know() -> None:
    assert labels(ITEM, CODES) == [
        "layout",
        "application-form",
        "layout-2",
        "outside-scope",
        "outside-scope-2",
    ]


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("application/pdf", "012-layout.pdf"),
        ("image/jpeg", "012-layout.jpeg"),
        ("image/tiff", "012-layout.tiff"),
        ("text/x", "012-layout.bin"),
    ],
)
def test_originals_are_listed_under_names_of_ours(media_type: str, name: str) -> None:
    assert stored_name(12, "layout", media_type) == name


def test_names_as_sent_go_with_the_holders_key(tmp_path: Path) -> None:
    database = make_database(tmp_path)
    names = SentNames("张三身份证", "张三.pdf")
    with database.writing() as uow:
        material = FilingMaterial(names_cipher=protect(uow, "holder-1", names))
        assert sent_names(uow, material) == names
        assert "张三".encode() not in material.names_cipher
        uow.secrets.destroy("holder-1")
        with pytest.raises(ErasedError):
            sent_names(uow, material)
