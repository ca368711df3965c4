# SPDX-License-Identifier: Apache-2.0
"""What a cell shows by its value and number format; what programs show differently is not guessed."""

import pytest

from documents.programs.display import Unsure, shown


@pytest.mark.parametrize(
    ("form", "value", "wanted"),
    [
        (0, "7", ["7"]),
        (0, "-12.5", ["-12.5"]),
        (0, "0.1", ["0.1"]),
        (0, "1E2", ["100"]),
        ("General", "3", ["3"]),
        ('General"元"', "3.5", ["3.5元"]),
        (1, "2.5", ["3"]),
        (2, "1.005", ["1.01"]),
        (3, "1234567", ["1,234,567"]),
        (4, "-1234.5", ["-1,234.50"]),
        (9, "0.256", ["26%"]),
        (10, "0.25", ["25.00%"]),
        (37, "-1234", ["(1,234)"]),
        (49, "20261122", ["20261122"]),
        ("00000", "42", ["00042"]),
        ("#.##", "0.5", [".5"]),
        ("0.0#", "1.5", ["1.5"]),
        ('#,##0.00" 元"', "1000000", ["1,000,000.00 元"]),
        ("[Red]0;[Blue]-0", "-3", ["-3"]),
        ('0;-0;"无"', "0", ["无"]),
        ("[$¥-804]#,##0.00", "12", ["¥12.00"]),
        ('_ * #,##0.00_ ;_ * \\-#,##0.00_ ;_ * "-"??_ ;_ @_ ', "0", ["-"]),
        ('_ * #,##0.00_ ;_ * \\-#,##0.00_ ;_ * "-"??_ ;_ @_ ', "-8.5", ["-8.50"]),
        (";;;", "5", [""]),
        ("yyyy-mm-dd", "46348", ["2026-11-22"]),
        ('yyyy"年"m"月"d"日"', "46348", ["2026年11月22日"]),
        ("[$-804]yyyy.mm.dd", "46027", ["2026.01.05"]),
        (14, "46027", ["2026/1/5", "2026-1-5", "2026/01/05", "2026-01-05"]),
        ("yyyy/m/d h:mm", "46348.375", ["2026/11/22 9:00", "2026-11-22 9:00"]),
        ("h:mm:ss", "0.5", ["12:00:00"]),
        ("mm:ss", "0.001388888888888889", ["02:00"]),
    ],
)
def test_what_a_number_shows(form: int | str, value: str, wanted: list[str]) -> None:
    assert shown("n", value, form, early=False) == wanted


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (0, "0.3333333333333333"),
        (0, "330199190001010012"),
        (0, "0.00001"),
        (0, "nan"),
        (0, "x"),
        (11, "12345"),
        (12, "0.5"),
        (18, "0.5"),
        (46, "1.5"),
        (48, "12345"),
        (300, "5"),
        ("", "5"),
        ("0.00E+00", "12345"),
        ("# ?/?", "0.5"),
        ("0,", "12345"),
        ("[>100]0;0.0", "5"),
        ("[DBNum1]0", "5"),
        ("[$-411]yyyy", "46348"),
        ("[h]:mm", "1.5"),
        ("*x0", "5"),
        ("000-0000", "5551234"),
        ("mmm d", "46348"),
        ("aaaa", "46348"),
        ("h:mm AM/PM", "0.5"),
        ("yyyy-mm-dd", "59"),
        ("yyyy-mm-dd", "-1"),
        ("h:mm:ss", "0.1234567"),
        ("0", "-0.2"),
    ],
)
def test_what_cannot_be_told_is_not_guessed(form: int | str, value: str) -> None:
    with pytest.raises(Unsure):
        shown("n", value, form, early=False)


def test_days_may_be_counted_from_1904() -> None:
    assert shown("n", "44886", "yyyy-mm-dd", early=True) == ["2026-11-22"]


@pytest.mark.parametrize(
    ("kind", "value", "form", "wanted"),
    [
        ("s", "甲", 0, ["甲"]),
        ("s", "甲", "yyyy-mm-dd", ["甲"]),
        ("s", "甲", '@"（演示）"', ["甲（演示）"]),
        ("s", "甲", '0;0;0;"文本："@', ["文本：甲"]),
        ("s", "甲", ";;;", [""]),
        ("b", "1", 0, ["TRUE"]),
        ("e", "#DIV/0!", 0, ["#DIV/0!"]),
    ],
)
def test_what_other_values_show(kind: str, value: str, form: int | str, wanted: list[str]) -> None:
    assert shown(kind, value, form, early=False) == wanted
