"""Dates as feeds and pages write them, and feedparser's traps (the watching reference 2.2)."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.articles.raw.dates import Moment, month, parse

AT = datetime(2026, 11, 23, 9, 37, tzinfo=UTC)
DAY = AT.replace(hour=0, minute=0)

CASES = [
    ("Mon, 23 Nov 2026 14:37:00 PKT", AT, ""),
    ("Mon, 23 Nov 2026 14:37:00 +0500", AT, ""),
    ("Mon, 23 Nov 2026 14:37:00 GMT+5", AT, ""),
    ("Mon, 23 Nov 2026 15:07:00 IST", AT, ""),
    ("Mon, 23 Nov 2026 04:37 ET", AT, ""),
    ("Mon, 23 Nov 2026 01:37:00 −0800", AT, ""),
    ("1795426620", AT, ""),
    ("1795426620000", AT, ""),
    ("1795426620.5", AT, ""),
    ("Nov 23, 2026 9:37 am", AT, "no zone"),
    ("November 23rd, 2026 at 9:37 a.m.", AT, "no zone"),
    ("lun., 23 nov. 2026 10:37:00 +0100", AT, ""),
    ("lundi 23 novembre 2026 à 09h37", AT, "no zone"),
    ("Montag, 23. November 2026, 9.37 Uhr", AT, "no zone"),
    ("23 de noviembre de 2026 09:37", AT, "no zone"),
    ("Senin, 23 November 2026 16.37 WIB", AT, ""),
    ("23 Kasım 2026 12:37 TRT", AT, ""),
    ("23 ноября 2026, 12:37 MSK", AT, ""),
    ("٢٣ نوفمبر ٢٠٢٦ 09:37", AT, "no zone"),
    ("23 نومبر 2026", DAY, "no time"),
    ("23 नवंबर 2026", DAY, "no time"),
    ("2026年11月23日 09时37分", AT, "no zone"),
    ("2026년 11월 23일 오후 9시 37분", AT.replace(hour=21), "no zone"),
    ("2026-11-23T15:07:00.123+05:30", AT, ""),
    ("2026-11-23 09:37:00", AT, "no zone"),
    ("20261123T093700Z", AT, ""),
    ("20261123093700", AT, "no zone"),
    ("2026-11-22T24:00:00Z", DAY, ""),
    ("2026-11-23T09:37:00Z[Asia/Karachi]", AT, ""),
    ("2026-11-23T14:37:00 Asia/Karachi", AT, ""),
    ("Mon Nov 23 09:37:00 2026", AT, "no zone"),
    ("Mon Nov 23 01:37:00 PST 2026", AT, ""),
    ("23 Nov 26 04:37 EST", AT, ""),
    ("11/23/2026 9:37:00 AM", AT, "no zone"),
    ("23/11/2026 09:37", AT, "no zone"),
    ("23.11.2026 09:37", AT, "no zone"),
    ("Mon, 23 Nov 2026 25:00:00 GMT", DAY, "impossible time"),
    ("Mon, 23 Nov 2026 09:37:00 XYZ", AT, "unknown zone XYZ"),
    ("Mon, 23 Nov 2026 09:37:60 GMT", AT.replace(second=59), ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "at", "doubt"), CASES)
def test_a_written_instant_is_understood(text: str, at: datetime, doubt: str) -> None:
    assert parse(text) == Moment(at, doubt)


@pytest.mark.parametrize(
    "text", ["", "soon", "2026", "03/04/2026 10:00", "Sun, 32 Nov 2026 10:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 +0000", "0001-01-01T00:00:00", "9999-12-31T23:59:59Z"]
)  # fmt: skip
def test_what_names_no_day_or_two_days_is_no_date(text: str) -> None:
    assert parse(text) is None


def test_the_sources_own_zone_decides_what_an_abbreviation_means() -> None:
    text = "Mon, 23 Nov 2026 17:37:00 CST"
    assert parse(text, zone=ZoneInfo("Asia/Shanghai")) == Moment(AT)
    assert parse(text) == Moment(AT.replace(hour=23))


def test_a_date_without_zone_is_read_in_the_given_one() -> None:
    assert parse("2026-11-23 14:37", zone=ZoneInfo("Asia/Karachi")) == Moment(AT, "no zone")


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("Sept.", 9),
        ("avril", 4),
        ("Dezember", 12),
        ("März", 3),
        ("августа", 8),
        ("mei", 5),
        ("monday", None),
        ("", None),
    ],
)
def test_a_months_name_is_known_in_many_languages(word: str, number: int | None) -> None:
    assert month(word) == number


@given(st.datetimes(min_value=datetime(1991, 1, 1), max_value=datetime(2099, 12, 31)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_every_instant_survives_rfc_822_and_iso_8601(at: datetime) -> None:
    at = at.replace(tzinfo=UTC, microsecond=0)
    assert parse(at.strftime("%a, %d %b %Y %H:%M:%S +0000")) == Moment(at)
    assert parse(at.isoformat()) == Moment(at)


@given(st.text(max_size=60) | st.text(alphabet="0123456789:/-.,+TZ amp Nov年月日時", max_size=40))
def test_any_text_is_an_instant_or_none(text: str) -> None:
    moment = parse(text)
    assert moment is None or moment.at.tzinfo is UTC
