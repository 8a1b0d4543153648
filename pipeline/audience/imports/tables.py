"""A file as rows of text, one at a time: CSV, TSV and XLSX, whatever its encoding and separator."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.audience.imports import sheets
from pipeline.audience.imports.sheets import Unreadable

_PORTION = 1 << 20
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SEPARATORS = "\t;,"


@dataclass(frozen=True, slots=True)
class Scan:
    """What one pass over the bytes tells."""

    digest: bytes  #: 32 bytes
    encoding: str


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` are (the row's number in the file, its cells); `done` of `size` have been read."""

    kind: str
    rows: Iterator[tuple[int, list[str]]]
    done: Callable[[], int]
    size: int


def scan(file: Path) -> Scan:
    """Read once: the digest a file is known by again, and the encoding; bytes that are no UTF-8 are Windows-1252."""
    digest, decoder, is_utf8, first = (
        hashlib.blake2b(digest_size=32),
        codecs.getincrementaldecoder("utf-8")(),
        True,
        b"",
    )
    with file.open("rb") as handle:
        while portion := handle.read(_PORTION):
            first = first or portion[:4]
            digest.update(portion)
            if is_utf8:
                try:
                    decoder.decode(portion)
                except UnicodeDecodeError:
                    is_utf8 = False
    marked = next((name for mark, name in _BOMS if first.startswith(mark)), None)
    return Scan(digest=digest.digest(), encoding=marked or ("utf-8" if is_utf8 else "cp1252"))


@contextmanager
def opened(file: Path, *, encoding: str) -> Iterator[Table]:
    """The rows of a file, the header among them. Raises Unreadable, here or while rows are taken."""
    if zipfile.is_zipfile(file):
        with sheets.opened(file) as sheet:
            yield Table(kind="xlsx", rows=sheet.rows, done=sheet.done, size=sheet.size)
        return
    with file.open("rb") as raw:
        text = io.TextIOWrapper(raw, encoding=encoding, errors="replace", newline="")
        separator = _separator(text.readline())
        text.seek(0)
        rows = _rows(text, separator)
        yield Table(kind="tsv" if separator == "\t" else "csv", rows=rows, done=raw.tell, size=file.stat().st_size)


def _separator(first: str) -> str:
    """The one that occurs most in the first line, a tab before a semicolon before a comma."""
    found = max(_SEPARATORS, key=first.count)
    return found if found in first else ","


def _rows(text: io.TextIOWrapper, separator: str) -> Iterator[tuple[int, list[str]]]:
    rows = csv.reader(text, delimiter=separator)
    begins = 1
    try:
        for row in rows:
            yield begins, row
            begins = rows.line_num + 1
    except csv.Error as error:
        raise Unreadable(f"line {begins} cannot be read ({error}): a quotation mark there may lack its end") from error
