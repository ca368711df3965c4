# SPDX-License-Identifier: Apache-2.0
"""Commands on licence types as an operator types them."""

import json
from pathlib import Path

import pytest
from editions import NEW_TYPE, new_types
from pdf_text import text_of

from licenses.catalogue import TypeCatalogue
from storage.errors import EXIT_DONE, EXIT_INVALID, EXIT_USAGE

from .conftest import run

FOOD, DRUGS = "11339999DEM0010178001", "11339999DEM002079U001"


def test_types_are_listed_and_shown(installation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = run("licence-type", "list", capsys=capsys)
    assert (code, len(printed.splitlines())) == (EXIT_DONE, len(TypeCatalogue.load().all()))
    assert "食品经营许可证  暂定 provisional" in printed
    code, printed = run("licence-type", "show", FOOD, capsys=capsys)
    assert (code, json.loads(printed)["code"]) == (EXIT_DONE, FOOD)
    code, printed = run("licence-type", "show", NEW_TYPE, capsys=capsys)
    assert code == EXIT_USAGE


def test_a_sample_is_the_same_file_each_time(
    installation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / name for name in ("one.pdf", "two.pdf", "division.pdf")]
    for file in files[:2]:
        assert run("licence-type", "preview", DRUGS, "-o", str(file), capsys=capsys)[0] == EXIT_DONE
    run("licence-type", "preview", DRUGS, "--division", "339999", "-o", str(files[2]), capsys=capsys)
    one, two, division = (file.read_bytes() for file in files)
    assert one == two != division
    assert "样例" in text_of(one)


def test_a_type_goes_from_the_file_to_the_catalogue_by_commands(
    installation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "types.json"
    file.write_bytes(new_types(template="nothing.typ"))
    code, printed = run("edition", "check", str(file), capsys=capsys)
    assert (code, "[template-unknown] /types/0/template" in " ".join(printed.split())) == (EXIT_INVALID, True)
    file.write_bytes(new_types())
    assert run("edition", "check", str(file), capsys=capsys)[0] == EXIT_DONE
    code, printed = run("edition", "propose", str(file), "--reason", "新设", capsys=capsys)
    made = printed.split(": ")[-1].strip()
    assert run("edition", "approve", made, "--reason", "已核对", capsys=capsys)[0] == EXIT_DONE
    assert NEW_TYPE in run("licence-type", "list", capsys=capsys)[1]
