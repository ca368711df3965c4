# SPDX-License-Identifier: Apache-2.0
"""Files of records: every good one is read, every bad one is told with its place and takes no other along."""

import io
import json
import zipfile
from pathlib import Path

import made_workbooks as xlsx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from documents.errors import FeedRefusedError
from documents.feeds import FeedRecord, open_feed
from documents.sandbox import Sandbox

Read = tuple[tuple[str, ...], list[FeedRecord]]
HEAD = "编号,名称,状态\n"


@pytest.fixture(scope="module")
def box() -> Sandbox:
    return Sandbox(bubblewrap=False)


def read(tmp_path: Path, box: Sandbox, data: bytes, size: int = 3, skip: int = 0) -> list[FeedRecord]:
    file = tmp_path / "feed"
    file.write_bytes(data)
    with open_feed(file, box) as feed:
        return [record for block in feed.blocks(size, skip) for record in block]


def refused(tmp_path: Path, box: Sandbox, data: bytes) -> str:
    with pytest.raises(FeedRefusedError) as caught:
        read(tmp_path, box, data)
    return str(caught.value.facts["rule"])


def bad(records: list[FeedRecord]) -> list[tuple[int, int, str]]:
    return [(one.line, one.column, one.problem) for one in records if one.cells is None]


def good(records: list[FeedRecord]) -> list[str]:
    return [one.cells["编号"] for one in records if one.cells is not None]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_tables_are_read_in_each_encoding_and_with_each_delimiter(
    tmp_path: Path, box: Sandbox, encoding: str, delimiter: str
) -> None:
    text = delimiter.join(("编号", "名称", "备注")) + "\r\n"
    text += (
        delimiter.join(("演1", '"演示""甲""\n第二行"', "")) + "\r\n\r\n" + delimiter.join(["演2", "乙", "丙"])
    )
    records = read(tmp_path, box, text.encode(encoding))
    assert [one.cells for one in records] == [
        {"编号": "演1", "名称": '演示"甲"\n第二行'},
        {"编号": "演2", "名称": "乙", "备注": "丙"},
    ]
    assert [one.line for one in records] == [2, 5]


def test_a_malformed_row_is_told_with_its_place_and_takes_no_other_with_it(
    tmp_path: Path, box: Sandbox
) -> None:
    rows = ["1,甲,有效", "2,乙", '3,"丙,有效', "4,丁,有效", '5,"戊",有效', '6,己"庚",有效,x', "7,辛\0,有效"]
    records = read(tmp_path, box, (HEAD + "\n".join([*rows, "8,壬,有效"]) + "\n").encode())
    assert good(records) == ["1", "4", "5", "8"]
    assert bad(records) == [
        (3, 3, "row-cells"),
        (4, 2, "row-quotes"),
        (7, 4, "row-cells"),
        (8, 2, "row-control"),
    ]
    assert [one.number for one in records] == list(range(1, 9))


def test_a_quote_that_never_closes_takes_one_line(tmp_path: Path, box: Sandbox) -> None:
    rows = [f"{number},甲,有效" for number in range(200)]
    rows[100] = '100,"甲,有效'
    records = read(tmp_path, box, (HEAD + "\n".join(rows)).encode(), size=50)
    assert bad(records) == [(102, 2, "row-quotes")]
    assert len(good(records)) == 199


def test_bytes_of_another_encoding_take_one_row(tmp_path: Path, box: Sandbox) -> None:
    lines = [f"{number},演示{number},有效".encode() for number in range(60)]
    lines[30] = "30,演示,有效".encode("gb18030")
    records = read(tmp_path, box, HEAD.encode() + b"\n".join(lines))
    assert bad(records)[0][::2] == (32, "row-encoding")
    assert len(good(records)) == 59


def test_a_huge_cell_and_a_huge_line_take_one_row_each(tmp_path: Path, box: Sandbox) -> None:
    rows = ["1,甲,有效", "2," + "长" * 70_000 + ",有效", "3," + "x" * (2 << 20) + ",有效", "4,丁,有效"]
    records = read(tmp_path, box, (HEAD + "\n".join(rows)).encode())
    assert good(records) == ["1", "4"]
    assert [one[2] for one in bad(records)] == ["row-size", "row-size"]


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "file-size"),
        (b" \n \n", "file-empty"),
        ("编号,编号\n1,2\n".encode(), "file-head"),
        (",".join(f"c{number}" for number in range(100_000)).encode(), "file-columns"),
        (("x" * (2 << 20)).encode(), "file-head"),
        ("编号,名称\n".encode("utf-16"), "file-encoding"),
        (b"PK\x03\x04 no archive", "workbook-damaged"),
    ],
)
def test_what_is_no_file_of_records_is_refused_with_a_stable_code(
    tmp_path: Path, box: Sandbox, data: bytes, rule: str
) -> None:
    assert refused(tmp_path, box, data) == rule


OBJECTS = [
    {"编号": "1", "名称": "甲", "数": 123456789012345678, "无": None, "真": True},
    {"编号": "2", "surface": [{"columnName": "a", "value": '} ] " \\ {'}]},
    {"编号": "3", "比": 1.10},
]


@pytest.mark.parametrize("form", ["array", "pretty", "lines"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_objects_are_read_as_texts(tmp_path: Path, box: Sandbox, form: str, encoding: str) -> None:
    if form == "lines":
        text = "\n".join(json.dumps(one, ensure_ascii=False) for one in OBJECTS)
    else:
        text = json.dumps(OBJECTS, ensure_ascii=False, indent=2 if form == "pretty" else None)
    records = read(tmp_path, box, text.encode(encoding), size=2)
    assert [one.cells for one in records] == [
        {"编号": "1", "名称": "甲", "数": "123456789012345678", "真": "true"},
        {"编号": "2", "surface": json.dumps(OBJECTS[1]["surface"], ensure_ascii=False)},
        {"编号": "3", "比": "1.1"},
    ]


def test_malformed_objects_take_no_other_with_them(tmp_path: Path, box: Sandbox) -> None:
    deep = '{"编号":"3","x":' + "[" * 40 + "]" * 40 + "}"
    texts = ['{"编号":"1"}', '{"编号":"2",}', deep, "[1]", '{"编号":"5"}', '{"编号":"6","x":NaN}']
    for data in (f"[{','.join(texts)}]", "\n".join(texts)):
        records = read(tmp_path, box, data.encode())
        assert good(records) == ["1", "5", "6"]
        assert [one[2] for one in bad(records)] == ["row-json", "row-depth", "row-json"]


def broken(folder: Path, box: Sandbox, data: bytes, size: int = 2) -> tuple[list[FeedRecord], object]:
    """Give what is read before a file is refused, and the facts of the refusal."""
    file = folder / "feed"
    file.write_bytes(data)
    records: list[FeedRecord] = []
    with open_feed(file, box) as feed:
        try:
            for block in feed.blocks(size):
                records += block
        except FeedRefusedError as error:
            return records, error.facts
    return records, None


@pytest.mark.parametrize(
    ("text", "kept", "line", "column"),
    [
        # A stray quote, in an array of one line and in one whose objects begin no line.
        ('[{"编号":"1"},{"编号":"2""},{"编号":"3"},{"编号":"4"}]', ["1"], 1, 22),
        ('[{"编号":"1"}, {\n"编号":"2""\n}, {\n"编号":"3"\n}]', ["1"], 2, 9),
        # Two of them, that hide the record in between.
        ('[{"编号":"1""},{"编号":"2"},{"编号":"3""},{"编号":"4"}]', [], 1, 11),
        # Broken off, and something behind the end.
        ('[{"编号":"1"},\n{"编号":"2"},\n{"编号":"3', ["1", "2"], 3, 7),
        ('[{"编号":"1"},\n{"编号":"2"}', ["1", "2"], 2, 11),
        ('[{"编号":"1"}]\n[{"编号":"2"}]', ["1"], 1, 12),
        ("[" * (3 << 20), [], 1, 2),
    ],
)
def test_an_array_is_refused_from_where_it_cannot_be_told_apart_and_keeps_what_came_before(
    tmp_path: Path, box: Sandbox, text: str, kept: list[str], line: int, column: int
) -> None:
    records, facts = broken(tmp_path, box, text.encode())
    assert good(records) == kept
    assert facts == {"rule": "file-broken", "line": line, "column": column}
    assert bad(records)[-1][:2] == (line, column)


def test_objects_that_begin_their_lines_alike_are_found_again_behind_a_stray_quote(
    tmp_path: Path, box: Sandbox
) -> None:
    lines = [json.dumps({"编号": str(number), "x": [{"a": "1"}, {"b": "2"}]}) for number in range(40)]
    lines[7] = lines[7].replace('"1"', '"1""')
    lines[9] = lines[9].removesuffix("}")
    for between in (",\n", ",\r\n  "):
        text = "[" + between[1:] + between.join(lines) + "]"
        records = read(tmp_path, box, text.encode(), size=5)
        assert good(records) == [str(number) for number in range(40) if number not in {7, 9}]
        assert [(line, code) for line, _, code in bad(records)] == [(9, "row-json"), (12, "row-json")]


def test_a_pretty_array_keeps_every_other_object(tmp_path: Path, box: Sandbox) -> None:
    objects = [{"编号": str(number), "x": [{"a": "1"}, {"b": "2"}]} for number in range(6)]
    text = json.dumps(objects, ensure_ascii=False, indent=2).replace('"编号": "2"', '"编号": "2""')
    records = read(tmp_path, box, text.encode())
    assert good(records) == ["0", "1", "3", "4", "5"]
    assert len(bad(records)) == 1


def workbook(*rows: str, **extra: object) -> bytes:
    return xlsx.workbook("".join(rows), extra=xlsx.Extra(**extra))  # type: ignore[arg-type]  # as given


def test_a_workbook_gives_texts_days_and_the_rows_that_hold_formulas(tmp_path: Path, box: Sandbox) -> None:
    head = xlsx.row(
        *(xlsx.text(f"{letter}1", name) for letter, name in zip("ABC", ("编号", "日期", "码"), strict=True))
    )
    data = workbook(
        head,
        xlsx.row(xlsx.text("A2", "1"), xlsx.number("B2", 43835, 1), xlsx.text("C2", "甲"), number=2),
        xlsx.row(xlsx.text("A3", "2"), xlsx.formula("B3", "1+1", "2"), number=3),
        xlsx.row(xlsx.text("A4", "3"), xlsx.number("C4", "339999199001011234"), number=4),
        xlsx.row(xlsx.text("A5", "4"), xlsx.text("F5", "beyond"), number=5),
        xlsx.row(xlsx.text("A6", "5"), xlsx.number("C6", 12), number=6),
        formats=(0, "yyyy\\-mm\\-dd"),
    )
    records = read(tmp_path, box, data)
    assert [one.cells for one in records if one.cells] == [
        {"编号": "1", "日期": "2020-01-05", "码": "甲"},
        {"编号": "5", "码": "12"},
    ]
    assert bad(records) == [(3, 2, "row-formula"), (4, 3, "row-number"), (5, 6, "row-cells")]


def test_an_archive_bomb_is_refused_before_it_is_read(tmp_path: Path, box: Sandbox) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b" " * (200 << 20))
    assert refused(tmp_path, box, out.getvalue()) == "workbook-bomb"


def test_reading_goes_on_where_it_stopped(tmp_path: Path, box: Sandbox) -> None:
    data = (HEAD + "\n".join(f"{number},甲,有效" for number in range(20))).encode()
    whole = read(tmp_path, box, data)
    assert read(tmp_path, box, data, skip=7) == whole[7:]


@given(
    rows=st.lists(
        st.lists(
            st.text(st.characters(exclude_characters="\r\0\ufffd", exclude_categories=["Cs"]), max_size=12),
            min_size=2,
            max_size=2,
        ),
        max_size=8,
    )
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_table_that_is_written_is_read_back(
    tmp_path: Path, box: Sandbox, rows: list[list[str]]
) -> None:
    quoted = ["a,b", *(",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)]
    records = read(tmp_path, box, "\n".join(quoted).encode())
    expected = [{name: cell for name, cell in zip("ab", row, strict=True) if cell} for row in rows]
    assert [one.cells for one in records] == expected
