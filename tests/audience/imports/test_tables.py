"""Hostile and odd files, and the quick spelling of addresses."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from email_validator import EmailNotValidError
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.audience.addresses import NotAnAddress, normal
from pipeline.audience.imports import exports, tables
from pipeline.audience.imports.rows import spelled
from pipeline.audience.imports.sheets import Unreadable
from tests.factories.workbooks import workbook

_BOMB = '<!DOCTYPE sst [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><sst><si><t>&b;</t></si></sst>'
_LONG = f"<worksheet><sheetData><row><c t='inlineStr'><is><t>{'x' * 40_000}</t></is></c></row></sheetData></worksheet>"


def _rows(folder: Path, content: bytes) -> list[tuple[int, list[str]]]:
    file = folder / "file"
    file.write_bytes(content)
    with tables.opened(file, encoding=tables.scan(file).encoding) as table:
        return list(table.rows)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"texts": _BOMB}, "not a sound Excel sheet"),
        ({"texts": "<sst>" + " " * (17 << 20) + "</sst>"}, "that is no list of readers"),
        ({"sheet": _LONG}, "more than 32,767 characters"),
        ({"sheet": "<worksheet><sheetData><row><c t='s'><v>9</v></c></row></sheetData></worksheet>"}, "refers to text 9"),
        ({"sheet": "<worksheet><sheetData><row><c r='ZZZ1'><v>9</v></c></row></sheetData></worksheet>"}, "outside any sheet"),
        ({"sheet": "<worksheet><sheetData>"}, "not a sound Excel sheet"),
        ({"book": "<workbook><sheets/></workbook>"}, "has no sheet"),
    ],
)  # fmt: skip
def test_a_workbook_made_to_harm_is_refused_in_words(parts: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=said):
        _rows(tmp_path, workbook([["email"], ["a@example.org"]], **parts))


def test_cells_left_out_of_a_sheet_keep_the_others_in_their_columns(tmp_path: Path) -> None:
    sheet = "<worksheet><sheetData><row r='3'><c r='C3'><v>7</v></c></row><row><c t='inlineStr'><is><t>a</t></is></c></row></sheetData></worksheet>"
    assert _rows(tmp_path, workbook([["x"]], sheet=sheet)) == [(3, ["", "", "7"]), (4, ["a"])]


def test_rows_are_numbered_by_the_line_they_begin_on(tmp_path: Path) -> None:
    assert _rows(tmp_path, b'email,note\na@example.org,"two\nlines"\nb@example.org,x\n')[1:] == [
        (2, ["a@example.org", "two\nlines"]),
        (4, ["b@example.org", "x"]),
    ]


_LETTERS = st.text("abz019.-_+@A ü'", max_size=14)


@given(
    local=_LETTERS,
    domain=_LETTERS,
    end=st.sampled_from([".org", ".test", ".local", ".x-y", ".1a", "", ".onion", "--a.com"]),
)
@settings(max_examples=600, deadline=None)
def test_the_quick_spelling_is_the_validators(local: str, domain: str, end: str) -> None:
    given_text = f"{local}@{domain}{end}"

    def said(spell) -> str | None:  # type: ignore[no-untyped-def]
        try:
            return str(spell(given_text))
        except (NotAnAddress, EmailNotValidError):
            return None

    assert said(spelled) == said(normal)


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "=a@example.org"])
def test_no_cell_of_an_export_begins_like_a_formula(value: str) -> None:
    out = io.StringIO()
    exports._written(out, ("email",), [[value]])
    assert out.getvalue().splitlines()[1].lstrip('"').startswith("'")
