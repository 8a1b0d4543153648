"""The first sheet of an Excel file, row by row.

Our own reader of the little we need: no library on our list streams it. An .xlsx is a zip of XML, so both bombs are
refused: parts that unpack to more than they should, and entities. Texts shared between cells lie in a temporary file,
because a sheet of a million addresses has a million of them.
"""

from __future__ import annotations

import tempfile
import zipfile
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, fromstring

MOST_BYTES = 2 << 30  #: of one part, unpacked
MOST_RATIO = 200  #: unpacked to packed, of parts above `_SMALL`
MOST_TEXT = 32_767  #: characters Excel itself allows in a cell
MOST_COLUMNS = 16_384
_SMALL = 16 << 20
_PORTION = 1 << 16
_REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


class Unreadable(Exception):
    """The file cannot be read as a table; the message is one sentence without a full stop."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """As `tables.Table`."""

    rows: Iterator[tuple[int, list[str]]]
    done: Callable[[], int]
    size: int


@contextmanager
def opened(file: Path) -> Iterator[Sheet]:
    """Raises Unreadable, here or while rows are taken."""
    try:
        with zipfile.ZipFile(file) as packed, tempfile.TemporaryFile() as spool:
            name = _first_sheet(packed)
            texts = _Texts(spool)
            if "xl/sharedStrings.xml" in packed.namelist():
                with _part(packed, "xl/sharedStrings.xml") as part:
                    for _ in _parsed(part, texts):
                        pass
            size = packed.getinfo(name).file_size
            with _part(packed, name) as part:
                yield Sheet(rows=_parsed(part, _Rows(texts.text)), done=part.tell, size=size)
    except (zipfile.BadZipFile, KeyError, ParseError, DefusedXmlException, EOFError, RuntimeError) as error:
        raise Unreadable(f"{file.name} is a zip file, but not a sound Excel sheet ({str(error)[:80]})") from error


def _first_sheet(packed: zipfile.ZipFile) -> str:
    with _part(packed, "xl/workbook.xml") as part:
        book = fromstring(part.read(_SMALL), forbid_dtd=True)
    with _part(packed, "xl/_rels/workbook.xml.rels") as part:
        targets = {each.get("Id"): each.get("Target", "") for each in fromstring(part.read(_SMALL), forbid_dtd=True)}
    sheet = next((each for each in book.iter() if _local(each.tag) == "sheet"), None)
    target = (
        ""
        if sheet is None
        else targets.get(next((v for k, v in sheet.items() if k == _REL or _local(k) == "id"), ""), "")
    )
    if not target:
        raise Unreadable("the workbook has no sheet")
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _part(packed: zipfile.ZipFile, name: str) -> IO[bytes]:
    """A part; what it declares as its size is all zipfile ever unpacks of it."""
    info = packed.getinfo(name)
    ratio = info.file_size / max(1, info.compress_size)
    if info.file_size > MOST_BYTES or (info.file_size > _SMALL and ratio > MOST_RATIO):
        raise Unreadable(
            f"{name} unpacks to {info.file_size:,} bytes, {ratio:.0f} times its size: that is no list of readers"
        )
    return packed.open(info)


def _parsed(part: IO[bytes], target: _Rows | _Texts) -> Iterator[tuple[int, list[str]]]:
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    while portion := part.read(_PORTION):
        parser.feed(portion)
        ready, target.ready = target.ready, []
        yield from ready
    parser.close()


class _Target:
    """Gathers the text of the elements named in `held`."""

    held: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.ready: list[tuple[int, list[str]]] = []
        self._parts: list[str] = []
        self._length = 0
        self._holding = False

    def data(self, said: str) -> None:
        if not self._holding:
            return
        self._length += len(said)
        if self._length > MOST_TEXT:
            raise Unreadable(f"a cell holds more than {MOST_TEXT:,} characters")
        self._parts.append(said)

    def close(self) -> None:
        """ElementTree asks for it."""

    def _taken(self) -> str:
        said = "".join(self._parts)
        self._parts, self._length = [], 0
        return said


class _Texts(_Target):
    """xl/sharedStrings.xml, spooled."""

    def __init__(self, spool: IO[bytes]) -> None:
        super().__init__()
        self._spool, self._ends, self._phonetic = spool, array("Q", [0]), False

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        name = _local(tag)
        self._phonetic = self._phonetic or name == "rPh"  # how a text is read aloud is not the text
        self._holding = name == "t" and not self._phonetic

    def end(self, tag: str) -> None:
        name = _local(tag)
        self._holding = False
        if name == "rPh":
            self._phonetic = False
        if name == "si":
            self._ends.append(self._ends[-1] + self._spool.write(self._taken().encode("utf-8", "replace")))

    def text(self, number: int) -> str:
        if not 0 <= number < len(self._ends) - 1:
            raise Unreadable(f"a cell refers to text {number}, which the file does not have")
        self._spool.seek(self._ends[number])
        return self._spool.read(self._ends[number + 1] - self._ends[number]).decode()


class _Rows(_Target):
    """xl/worksheets/sheet1.xml."""

    def __init__(self, text: Callable[[int], str]) -> None:
        super().__init__()
        self._text, self._number, self._row, self._place, self._type = text, 0, [""] * 0, -1, ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = _local(tag)
        if name == "row":
            self._number = max(self._number + 1, _int(attributes.get("r")))
            self._row, self._place = [], -1
        elif name == "c":
            self._place = _column(attributes.get("r", ""), otherwise=self._place + 1)
            self._type = attributes.get("t", "n")
        self._holding = name in {"v", "t"}

    def end(self, tag: str) -> None:
        name = _local(tag)
        self._holding = False
        if name == "c":
            said = self._taken()
            self._row += [""] * (self._place - len(self._row))
            del self._row[self._place :]
            self._row.append(self._text(_int(said)) if self._type == "s" and said else said)
        elif name == "row" and any(self._row):
            self.ready.append((self._number, self._row))


def _column(reference: str, *, otherwise: int) -> int:
    """The place of a cell such as "AB12", from 0."""
    letters = reference.rstrip("0123456789")
    place = otherwise
    if letters.isascii() and letters.isalpha() and len(letters) <= 3:
        place = -1
        for letter in letters.upper():
            place = (place + 1) * 26 + ord(letter) - ord("A")
    if place >= MOST_COLUMNS:
        raise Unreadable(f"cell {reference[:12]} lies outside any sheet")
    return place


def _int(said: Any) -> int:
    try:
        return int(said or 0)
    except ValueError as error:
        raise Unreadable(f"{str(said)[:20]!r} stands where a number must") from error


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
