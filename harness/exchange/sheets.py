"""The first sheet of an Excel file (.xlsx), as text: all that importing answers asks of such a file.

The file is a zip archive of XML. It is unpacked within bounds and read without declarations, so that
neither can grow in memory beyond what a sheet of answers needs; formulas are never computed.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

MOST_BYTES = 256 * 2**20
"""Of unpacked XML; Excel's own bound is a million rows of a few hundred bytes."""
_MOST_COLUMNS = 16_384
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def rows(data: bytes) -> list[list[str]]:
    """The rows of the first sheet, empty cells as ``""``. Raises ValueError for anything but an .xlsx."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            sheets = [
                name for name in archive.namelist() if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name)
            ]
            first = min(sheets, key=lambda name: (len(name), name))
            shared = (
                _texts(_unpack(archive, "xl/sharedStrings.xml"))
                if "xl/sharedStrings.xml" in archive.namelist()
                else []
            )
            return list(_rows(_unpack(archive, first), shared))
    # A crafted archive finds its own ways to fail in the libraries below.
    except Exception as error:
        raise ValueError(
            f"it is no readable Excel file ({str(error)[:80] or type(error).__name__})"
        ) from error


def _unpack(archive: zipfile.ZipFile, name: str) -> bytes:
    info = archive.getinfo(name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("it is compressed in a way that Excel does not use")
    with archive.open(info) as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValueError(f"{name} is larger than {MOST_BYTES >> 20} MB")
    if b"<!" in data[:4096]:
        raise ValueError(f"{name} has declarations")
    return data


def _texts(data: bytes) -> list[str]:
    return [_text(item) for item in _elements(data, "si")]


def _rows(data: bytes, shared: list[str]) -> Iterator[list[str]]:
    for row in _elements(data, "row"):
        found: dict[int, str] = {}
        for position, cell in enumerate(child for child in row if _tag(child) == "c"):
            column = _column(cell.get("r", "")) or position
            if column >= _MOST_COLUMNS:
                raise ValueError("a row has more columns than Excel allows")
            found[column] = _value(cell, shared)
        yield [found.get(column, "") for column in range(max(found, default=-1) + 1)]


def _elements(data: bytes, tag: str) -> Iterator[ElementTree.Element]:
    """The elements of a name, one at a time; each is emptied when the next one is asked for."""
    for _, element in ElementTree.iterparse(io.BytesIO(data)):
        if _tag(element) == tag:
            yield element
            element.clear()


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _value(cell: ElementTree.Element, shared: list[str]) -> str:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return _text(cell)
    value = next((child.text or "" for child in cell if _tag(child) == "v"), "")
    if kind == "s":
        return shared[int(value)]
    return _unescaped(value) if kind == "str" else value


def _text(element: ElementTree.Element) -> str:
    """The text of a string: of all its runs, not of the reading aids (rPh) beside them."""
    if _tag(element) == "t":
        return _unescaped(element.text or "")
    return "".join(_text(child) for child in element if _tag(child) != "rPh")


def _unescaped(text: str) -> str:
    """Control characters stand as ``_x000D_`` in these files."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


def _column(reference: str) -> int | None:
    """``B7`` -> 1"""
    letters = re.match(r"[A-Z]{1,3}", reference)
    if letters is None:
        return None
    number = 0
    for letter in letters[0]:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1
