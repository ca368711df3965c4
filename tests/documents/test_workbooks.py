# SPDX-License-Identifier: Apache-2.0
"""Workbooks: every text that a visible cell shows stands in the rendition, or there is none and a reason.

What a cell shows is worked out from the file alone; the office program never judges itself.
"""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import made_materials as make
import made_workbooks as books
import pytest
from made_workbooks import Extra, Sheet, formula, number, row, text, workbook
from tooling import require_tool

from documents.attempts import OriginalOnly, Rendition
from documents.conversion import Converter
from documents.formats import MEDIA_TYPES, identify
from documents.reasons import REASONS
from documents.sandbox import Layer, Sandbox

Place = Callable[..., Path]
Render = Callable[[bytes], Rendition | OriginalOnly]


@pytest.fixture
def render(sandbox: Sandbox, place: Place, tmp_path: Path) -> Render:
    require_tool("soffice")
    if sandbox.layer is not Layer.BUBBLEWRAP:
        pytest.skip("missing tool: bwrap")
    return lambda data: Converter(sandbox).render(place(data), tmp_path / "rendition.pdf")


WIDE = '<cols><col min="1" max="8" width="30" customWidth="1"/></cols>'
STRINGS = (
    "<si><t>演示市示例乙食品贸易有限公司</t></si>"
    '<si><r><t>许可</t></r><r><rPr><rFont val="黑体"/></rPr><t>项目</t></r>'
    '<rPh sb="0" eb="2"><t>かな</t></rPh></si>'
)
_SHARED = '<c r="{}" t="s"><v>{}</v></c>'
GOLDEN = {
    "texts": (
        workbook(
            Sheet(
                row(_SHARED.format("A1", 0), _SHARED.format("B1", 1), text("C1", "甲 <&>"))
                + row(text("A2", "㑇䶮𠮷龘"), text("B2", "  两端空格  "), number=2),
                before=WIDE,
            ),
            extra=Extra(strings=STRINGS),
        ),
        ["演示市示例乙食品贸易有限公司", "许可项目", "甲 <&>", "㑇䶮𠮷龘"],
    ),
    "numbers": (
        workbook(
            Sheet(
                row(*(number(f"{column}1", -1234.567, place) for place, column in enumerate("ABCDEFGH"))),
                before=WIDE,
            ),
            extra=Extra(
                formats=(0, "0", "0.00", "#,##0.0", "0.00%", '"约"0"米"', "0.0_);(0.0)", "[$¥-804]#,##0.00")
            ),
        ),
        ["-1234.567", "-1235", "-1234.57", "-1,234.6", "-123456.70%", "-约1235米", "(1234.6)", "-¥1,234.57"],
    ),
    "dates": (
        workbook(
            Sheet(
                row(*(number(f"{column}1", 46027.375, place) for place, column in enumerate("ABCDEFGH"))),
                before=WIDE,
            ),
            extra=Extra(
                formats=(
                    14,
                    31,
                    "yyyy-mm-dd",
                    'yyyy"年"m"月"d"日"',
                    "yyyy/m/d h:mm",
                    "h:mm:ss",
                    "yyyy.mm.dd",
                    22,
                )
            ),
        ),
        ["2026-01-05", "2026年1月5日", "9:00:00", "2026.01.05"],
    ),
    "formulas": (
        workbook(
            Sheet(
                row(number("A1", 2), number("B1", 3), formula("C1", "A1*B1", "6"))
                + row(
                    formula("A2", 'A1&"件"', "2件", "str"),
                    formula("C2", "A1/0", "#DIV/0!", "e"),
                    formula("D2", '""', "", "str"),
                    number=2,
                ),
                before=WIDE,
            )
        ),
        ["6", "2件", "#DIV/0!"],
    ),
    "merged": (
        workbook(
            Sheet(
                row(text("A1", "合并标题"), text("B1", "被遮住"))
                + row(text("A2", "甲"), text("B2", "乙"), number=2),
                after='<mergeCells><mergeCell ref="A1:C1"/></mergeCells>',
            )
        ),
        ["合并标题", "甲", "乙"],
    ),
    "hidden": (
        workbook(
            Sheet(
                row(text("A1", "可见"), text("C1", "隐藏列"))
                + row(text("A2", "隐藏行"), number=2, more='hidden="1"'),
                before='<cols><col min="3" max="3" width="9" hidden="1"/></cols>',
            ),
            Sheet(row(text("A1", "隐藏表")), state="hidden"),
            Sheet(row(text("A1", "第三张表"))),
        ),
        ["可见", "第三张表"],
    ),
    "long": (
        workbook(
            "".join(
                row(
                    number(f"A{line}", line),
                    text(f"B{line}", f"第{line}项"),
                    number(f"J{line}", line / 4, 1),
                    text(f"T{line}", "是" if line % 3 else "否"),
                    number=line,
                )
                for line in range(1, 301)
            ),
            extra=Extra(formats=(0, "0.00")),
        ),
        ["第300项", "75.00"],
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_every_visible_cell_is_shown(render: Render, name: str) -> None:
    data, texts = GOLDEN[name]
    result = render(data)
    assert isinstance(result, Rendition), result
    assert (result.route, result.level, result.kept) == ("office", "3b", False)
    for words in texts:
        assert words in result.text.replace("\n", " ")


def test_what_is_hidden_is_not_shown_and_named(render: Render) -> None:
    hidden, covered = render(GOLDEN["hidden"][0]), render(GOLDEN["merged"][0])
    assert isinstance(hidden, Rendition)
    assert isinstance(covered, Rendition)
    assert hidden.attempts[-1].losses == ("hidden-cells", "hidden-sheets")
    assert covered.attempts[-1].losses == ("covered-cells",)
    assert "隐藏" not in hidden.text
    assert "被遮住" not in covered.text


def test_comments_are_named_and_substituted_typefaces_too(render: Render) -> None:
    remark = f'<comments xmlns="{books.MAIN}"><authors/><commentList/></comments>'.encode()
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
    sheet = Sheet(row(text("A1", "甲")), relations=books.relation("comments", "../comments1.xml"))
    extra = Extra(
        parts={"xl/comments1.xml": remark},
        types=f'<Override PartName="/xl/comments1.xml" ContentType="{kind}"/>',
    )
    result = render(workbook(sheet, extra=extra))
    assert isinstance(result, Rendition), result
    assert result.attempts[-1].losses == ("comments",)
    assert result.substitutions == ("宋体",)


def test_pictures_and_words_in_shapes_are_shown(render: Render) -> None:
    sheet, extra = books.drawn(books.PICTURE, make.as_file(make.picture(), "PNG"))
    assert isinstance(render(workbook(sheet, extra=extra)), Rendition)
    sheet, extra = books.drawn(books.box("图中文字"))
    result = render(workbook(sheet, extra=extra))
    assert isinstance(result, Rendition), result
    assert "图中文字" in result.text


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(
            workbook(row(formula("A1", "TODAY()", "43831", style=1)), extra=Extra(formats=(0, "yyyy-mm-dd"))),
            id="the program works out another day than the file holds",
        ),
        pytest.param(
            workbook(
                Sheet(
                    row(number("A1", 123456789, 1)),
                    before='<cols><col min="1" max="1" width="3" customWidth="1"/></cols>',
                ),
                extra=Extra(formats=(0, "0.00")),
            ),
            id="a number does not fit into its column",
        ),
        pytest.param(
            workbook(
                row(text("A1", "打印"), text("C1", "不打印")),
                extra=Extra(
                    names='<definedNames><definedName name="_xlnm.Print_Area" localSheetId="0">'
                    "'表1'!$A$1:$A$1</definedName></definedNames>"
                ),
            ),
            id="a cell lies outside the area that is printed",
        ),
    ],
)
def test_a_cell_that_the_rendition_does_not_show_refuses_it(render: Render, data: bytes) -> None:
    result = render(data)
    assert isinstance(result, OriginalOnly), result
    assert result.reason == "cells-lost"


_SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml."
_ONE = row(text("A1", "甲"))
_CHANGING = Sheet(
    row(number("A1", 5)),
    after='<conditionalFormatting sqref="A1"><cfRule type="expression" dxfId="0" priority="1">'
    "<formula>TRUE</formula></cfRule></conditionalFormatting>",
)
_CHANGE = '<dxfs><dxf><numFmt numFmtId="180" formatCode="0.0"/></dxf></dxfs>'
_SHOWS_FORMULAS = '<sheetViews><sheetView showFormulas="1" workbookViewId="0"/></sheetViews>'
_MACRO_NAME = '<definedNames><definedName name="a" xlm="1">x</definedName></definedNames>'
_ENTITIES = b"<!DOCTYPE x><x/>"


def _with(**extra: object) -> bytes:
    return workbook(_ONE, extra=Extra(**extra))  # type: ignore[arg-type]  # the members of Extra


def _override(kind: str, name: str = "xl/x.xml") -> str:
    return f'<Override PartName="/{name}" ContentType="{kind}"/>'


PROBLEMS = [
    (workbook(""), "empty"),
    (workbook(row(number("A1", 5)), extra=Extra(formats=(";;;",))), "empty"),
    (workbook(_ONE)[:-30], "damaged"),
    (workbook(row(_SHARED.format("A1", 7))), "damaged"),
    (workbook(row(text("?", "甲"))), "damaged"),
    (_with(parts={"xl/x.xml": _ENTITIES}), "doctype"),
    (_with(parts={"xl/x.dat": _ENTITIES}, types=_override("x/x+xml", "xl/x.dat")), "doctype"),
    (workbook(row(text("A1", " " * (9 << 20)))), "bomb"),
    (_with(parts={"xl/vbaProject.bin": b"x"}), "macros"),
    (_with(main_type="application/vnd.ms-excel.sheet.macroEnabled.main+xml"), "macros"),
    (_with(types=_override("application/vnd.ms-excel.macrosheet+xml")), "macros"),
    (_with(names=_MACRO_NAME), "macros"),
    (workbook(Sheet(_ONE, relations=books.relation("ctrlProp", "../c.xml"))), "macros"),
    (_with(relations=books.relation("image", "http://127.0.0.1/", external=True)), "external-content"),
    (_with(types=_override(_SPREADSHEET + "externalLink+xml")), "external-content"),
    (_with(types=_override(_SPREADSHEET + "connections+xml")), "external-content"),
    (
        workbook(_ONE, Sheet(row(formula("A1", 'WEBSERVICE("http://127.0.0.1/")', "1")), state="hidden")),
        "external-content",
    ),
    (workbook(row(formula("A1", "1+1", None))), "formula-without-value"),
    (workbook(row(number("A1", 1 / 3))), "cell-display"),
    (workbook(row('<c r="A1" t="e" vm="1"><v>#VALUE!</v></c>')), "cell-display"),
    (workbook(Sheet(_ONE, before=_SHOWS_FORMULAS)), "cell-display"),
    (workbook(_CHANGING, extra=Extra(styles=_CHANGE)), "cell-display"),
    (workbook(books.drawn(books.CHART)[0], extra=books.drawn(books.CHART)[1]), "chart"),
]


@pytest.mark.parametrize(("data", "problem"), PROBLEMS)
def test_every_problem_of_a_workbook_has_its_code(
    place: Place, sandbox: Sandbox, data: bytes, problem: str
) -> None:
    found = identify(place(data), sandbox)
    assert (found.kind, found.media_type, found.problem) == ("xlsx", MEDIA_TYPES["xlsx"], problem)
    assert problem in REASONS


def test_an_archive_whose_main_part_is_no_workbook_is_unknown(place: Place, sandbox: Sandbox) -> None:
    found = identify(place(_with(main_type="application/xml")), sandbox)
    assert (found.kind, found.problem) == ("unknown", "unsupported-format")


def test_what_is_hidden_needs_no_proof(place: Place, sandbox: Sandbox) -> None:
    unsure = row(text("A1", "甲")) + row(number("A2", 1 / 3), number=2, more='hidden="1"')
    assert identify(place(workbook(unsure)), sandbox).problem is None
    noughts = Sheet(
        row(text("A1", "甲"), number("B1", 0)),
        before='<sheetViews><sheetView showZeros="0" workbookViewId="0"/></sheetViews>',
    )
    assert identify(place(workbook(noughts)), sandbox).problem is None


def test_a_workbook_with_too_many_cells_is_refused_before_any_program_sees_it(
    place: Place, sandbox: Sandbox
) -> None:
    cells = "".join(row("<c><v>1</v></c>" * 250, number=line) for line in range(1, 802))
    assert identify(place(workbook(cells)), sandbox).problem == "too-large"


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ([["ABCD"]], None),
        ([["AB"], ["CD"], ["EFGH"]], None),
        ([["2026"], ["ABC"]], "cells-lost"),
        ([["ABC"], ["ABC"]], "cells-lost"),
        ([["BA"]], "cells-lost"),
        ([["XY", "A B C"]], None),
        ([["XY", "ABC"], ["ABC"]], "cells-lost"),
        ([[""], [" \n"]], None),
    ],
)
def test_cells_against_pdf(sandbox: Sandbox, cells: list[list[str]], problem: str | None) -> None:
    with sandbox.workroom() as room:
        room.write("before", json.dumps(cells).encode())
        room.write("after", make.pdf())
        found = room.call("compare", do="cells", before="before", after="after", images=0)
        assert found["problem"] == problem


def test_a_workbook_is_recognised_by_its_parts(place: Place, each_sandbox: Sandbox) -> None:
    found = identify(place(workbook(_ONE), "notes.docx"), each_sandbox)
    assert (found.kind, found.media_type, found.problem) == ("xlsx", MEDIA_TYPES["xlsx"], None)
    with zipfile.ZipFile(place(workbook(_ONE))) as archive:
        assert "xl/workbook.xml" in archive.namelist()
