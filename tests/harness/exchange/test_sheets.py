"""Excel files as other libraries write them, and as nobody should."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest
from hostile import SHEET, workbook

from harness.exchange import sheets
from harness.exchange.sheets import rows


def made(*lines: list[object]) -> bytes:
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    book.create_sheet("another").append(["not", "read"])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_cells_come_as_text_whatever_they_look_like() -> None:
    texts = ["N/A", "None", "nan", "", "a\nb\ttab", "né 日本", "x" * 32_000, " spaces ", "<&>", "#N/A"]
    data = made(["index", "prediction"], *([number, text] for number, text in enumerate(texts)))
    found = rows(data)
    assert found[0] == ["index", "prediction"]
    assert [[*line, ""][1] for line in found[1:]] == texts
    assert [line[0] for line in found[1:]] == [str(number) for number in range(len(texts))]


def test_numbers_gaps_and_truth_values() -> None:
    found = rows(made([1, None, 2.5, True], [None, "b"]))
    assert found == [["1", "", "2.5", "1"], ["", "b"]]


def test_escaped_control_characters_runs_and_reading_aids() -> None:
    shared = b"<sst><si><r><t>a_x000D_</t></r><r><t>b</t></r><rPh><t>aid</t></rPh></si><si/></sst>"
    sheet = b'<w><row><c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="str"><v>_x0041_</v></c></row></w>'
    assert rows(workbook(shared, sheet)) == [["a\rb", "", "A"]]


def test_of_several_sheets_the_first_is_read() -> None:
    buffer = io.BytesIO(workbook())
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("xl/worksheets/sheet10.xml", b"<w><row><c><v>10</v></c></row></w>")
        archive.writestr("xl/worksheets/sheet2.xml", b"<w><row><c><v>2</v></c></row></w>")
    assert rows(buffer.getvalue())[1] == ["3", "a\rb"]


BILLION = (
    b'<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><w><row><c><v>&b;</v></c></row></w>'
)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"PK\x03\x04", "no readable Excel file"),
        (workbook(sheet=BILLION), "has declarations"),
        (workbook(sheet=SHEET[:-9]), "no readable Excel file"),
        (workbook(sheet=SHEET.replace(b"<v>1<", b"<v>9<")), "no readable Excel file"),
        (workbook(sheet=SHEET.replace(b'"A2"', b'"ZZZ2"')), "more columns than Excel allows"),
    ],
)
def test_what_is_no_sheet_is_one_sentence(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        rows(data)


def test_an_archive_without_sheets_or_packed_in_another_way_is_refused() -> None:
    for compression, name in [(zipfile.ZIP_STORED, "a.txt"), (zipfile.ZIP_BZIP2, "xl/worksheets/sheet1.xml")]:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", compression) as archive:
            archive.writestr(name, SHEET)
        with pytest.raises(ValueError, match="no readable Excel file"):
            rows(buffer.getvalue())


def test_what_unpacks_to_more_than_a_sheet_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_BYTES", 2**20)
    bomb = workbook(sheet=b"<w>" + b" " * 2**22 + b"</w>")
    assert len(bomb) < 2**16
    with pytest.raises(ValueError, match="larger than 1 MB"):
        rows(bomb)
