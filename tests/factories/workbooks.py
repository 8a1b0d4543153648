"""Excel files, as small as they can be."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_BOOK = f'<workbook xmlns="{_MAIN}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>'
_RELS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>'


def workbook(rows: Sequence[Sequence[str]], **parts: str) -> bytes:
    """A workbook with these cells as shared strings; `parts` replace its `sheet`, `texts` or `book`."""
    texts = [value for row in rows for value in row]
    numbers = iter(range(len(texts)))
    sheet = "".join(
        f'<row r="{number}">{"".join(_cell(number, place, next(numbers)) for place in range(len(row)))}</row>'
        for number, row in enumerate(rows, start=1)
    )
    shared = "".join(f"<si><t>{escape(text)}</t></si>" for text in texts)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", parts.get("book", _BOOK))
        packed.writestr("xl/_rels/workbook.xml.rels", _RELS)
        packed.writestr("xl/sharedStrings.xml", parts.get("texts", f'<sst xmlns="{_MAIN}">{shared}</sst>'))
        packed.writestr(
            "xl/worksheets/sheet1.xml",
            parts.get("sheet", f'<worksheet xmlns="{_MAIN}"><sheetData>{sheet}</sheetData></worksheet>'),
        )
    return out.getvalue()


def _cell(row: int, place: int, text: int) -> str:
    return f'<c r="{chr(65 + place)}{row}" t="s"><v>{text}</v></c>'
