from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.articles.gates import screen
from pipeline.desk.sources import words
from pipeline.kernel.config import ROOT
from pipeline.sources.health import Code, Health
from pipeline.sources.models import Channel, Push, Source
from tests.desk.reasons.test_codes import set_in

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
ZONE = "Europe/Brussels"
HEALTHS: list[tuple[Code, dict[str, Any], str]] = [
    (Code.FRESH, {"since": NOW - timedelta(minutes=2)}, "It answered at 06:10 CEST (2 min ago)."),
    (Code.STALE, {"since": NOW - timedelta(hours=1), "why": "the site answered 503"}, "Stale since 05:12 CEST: it answered 503."),
    (Code.STALE, {"since": NOW - timedelta(days=2), "why": "site.example did not answer in time"}, "Stale since Fri 17 Apr, 06:12 CEST: site.example did not answer in time."),
    (Code.UNANSWERED, {"why": "the site answered 404"}, "It has never answered well: it answered 404."),
    (Code.SILENT, {"since": NOW - timedelta(hours=9), "usual_s": 720}, "It answers, but has told nothing new since 21:12 CEST; usually a story comes every 12 min."),
    (Code.REFUSED, {"url": "https://a.example/feed/", "kind": "feed", "status": 403}, "Its feed at https://a.example/feed/ refuses us (it answers 403). It is tried once a day; ask the site’s owner to let Dateline in."),
    (Code.GONE, {"url": "https://a.example/wp-json/", "kind": "rest", "status": 410}, "Its REST interface at https://a.example/wp-json/ answered 410: gone for good, so it is asked no more."),
    (Code.PUSH_BROKEN, {"kind": "websub", "missed": 1}, "Its WebSub hub missed 1 story that our looks found. It is looked at more often until it tells again."),
    (Code.FIRST_LOOK, {}, "It waits for its first look. What is there then is known and never told."),
    (Code.PAUSED, {}, "A person paused it: nobody looks until someone has it watched again."),
]  # fmt: skip


@pytest.mark.parametrize(("code", "params", "told"), HEALTHS)
def test_a_health_is_a_sentence_with_its_time_and_reason(code: Code, params: dict[str, Any], told: str) -> None:
    assert words.told(Health(source_id=1, code=code, params=params), zone=ZONE, now=NOW).words == told


def test_every_health_has_a_badge_and_a_tested_sentence() -> None:
    assert set(words.BADGES) == set(Code) == {code for code, _, _ in HEALTHS}


def test_a_site_that_fails_is_never_said_to_have_no_news() -> None:
    failing = [words.told(Health(source_id=1, code=c, params=p), zone=ZONE, now=NOW) for c, p, _ in HEALTHS]
    assert not [said for said in failing if "no news" in said.words.lower()]


def test_every_gate_has_words_for_its_count() -> None:
    source = (ROOT / "pipeline/articles/gates/screen.py").read_text(encoding="utf-8")
    assert set_in(source) - {"first_seen"} <= set(words.GATES)
    assert words.gate("moon_phase") == "moon phase"


def test_every_way_push_and_state_has_a_word() -> None:
    assert set(Channel.Kind.values) <= set(words.WAYS)
    assert set(words.PUSHES) == set(Push.Kind.values)
    assert set(words.PUSH_BADGES) == set(Push.State)
    assert set(words.WAY_BADGES) == set(Channel.State)


@pytest.mark.parametrize(
    "because",
    [
        screen.source_event(generator_changed=True),
        screen.source_event(address_changed=True),
        screen.source_event(silent_for=timedelta(days=2)),
        screen.source_event(total_jump=500),
        screen.source_event(revised_share=0.5),
    ],
)
def test_a_caution_says_until_when_and_why(because: str) -> None:
    row = Source(cautious_until=NOW + timedelta(hours=6), cautious_because=because)
    told = words.caution(row, zone=ZONE, now=NOW)
    assert told == f"Cautious until 12:12 CEST: {words.CAUTION[because]}. Everything new is held for a person."


def test_a_caution_that_is_over_is_not_told() -> None:
    assert words.caution(Source(cautious_until=NOW), zone=ZONE, now=NOW) == ""


@pytest.mark.parametrize(
    ("fields", "told", "badge"),
    [
        ({}, "not asked yet", "not asked yet"),
        ({"last_checked_at": NOW, "last_status": 304}, "answered 304 (nothing new), just now", "open"),
        ({"last_checked_at": NOW, "last_status": 503}, "answered 503, just now", "failing"),
        ({"last_checked_at": NOW, "last_status": 0}, "did not answer, just now", "failing"),
        ({"last_checked_at": NOW, "last_status": 410, "state": "gone"}, "answered 410, just now", "gone"),
    ],
)
def test_a_way_says_what_it_said_last(fields: dict[str, Any], told: str, badge: str) -> None:
    way = Channel(**fields)
    assert (words.answer(way, now=NOW), words.way_badge(way).label) == (told, badge)


@pytest.mark.parametrize(
    ("generator", "told"),
    [
        ("https://wordpress.org/?v=6.8.7", "WordPress 6.8.7"),
        ("http://wordpress.com/", "WordPress"),
        ("Ghost 6.2", "Ghost 6.2"),
        ("", ""),
    ],
)
def test_a_program_is_named_as_people_name_it(generator: str, told: str) -> None:
    assert words.program(generator) == told
