"""What a source is, said in codes and figures."""

from __future__ import annotations

import string
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pipeline.sources import health
from pipeline.sources.health import SENTENCES, Code, Health
from pipeline.sources.models import Push, Source
from tests.factories import articles, sources
from tests.factories.sources import NOW

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def codes(source: Source) -> list[Code]:
    return [each.code for each in health.of(now=NOW)[source.id]]


def only(source: Source) -> Health:
    (found,) = health.of(now=NOW)[source.id]
    return found


def stories(source: Source, *hours_ago: float) -> None:
    for hours in hours_ago:
        articles.article(source=source, first_seen_at=NOW - hours * HOUR)


def test_a_source_that_answered_lately_is_fresh() -> None:
    source = sources.source()
    assert only(source) == Health(source_id=source.id, code=Code.FRESH, params={"since": NOW - 2 * MINUTE})


def test_a_source_that_fails_is_stale_since_its_last_answer_and_says_why() -> None:
    source = sources.source(last_success_at=NOW - HOUR, last_error="the site answered 503")
    found = only(source)
    assert found.code is Code.STALE
    assert found.params == {"since": NOW - HOUR, "why": "the site answered 503"}
    assert SENTENCES[found.code].format(**found.params).endswith(": the site answered 503")


@pytest.mark.parametrize(
    ("fields", "minutes", "code"),
    [
        ({"poll_s": 60}, 14, Code.FRESH),
        ({"poll_s": 60}, 16, Code.STALE),
        ({"poll_s": 600}, 29, Code.FRESH),
        ({"poll_s": 600}, 31, Code.STALE),
        ({"is_ours": False}, 90, Code.FRESH),
        ({"is_ours": False}, 181, Code.STALE),
    ],
)
def test_patience_is_three_polls_and_at_least_a_quarter_of_an_hour(
    fields: dict[str, object], minutes: int, code: Code
) -> None:
    source = sources.source(last_success_at=NOW - minutes * MINUTE, **fields)
    assert only(source).code is code


def test_nobody_looking_is_said_as_such() -> None:
    assert "workers" in str(only(sources.source(last_success_at=NOW - HOUR)).params["why"])


def test_a_source_that_never_answered_waits_or_fails() -> None:
    assert only(sources.source(last_success_at=None)).code is Code.FIRST_LOOK
    failed = only(sources.source(last_success_at=None, last_error="the site answered 404"))
    assert (failed.code, failed.params) == (Code.UNANSWERED, {"why": "the site answered 404"})


def test_a_paused_source_is_paused_whatever_else_it_is() -> None:
    assert codes(sources.source(state="paused", last_success_at=None)) == [Code.PAUSED]


def test_a_closed_channel_is_told_beside_a_fresh_feed() -> None:
    source = sources.source()
    sources.channel(source=source)
    closed = sources.channel(
        source=source, url=f"{source.home_url}wp-json/", kind="rest", state="asking", last_status=403
    )
    found = only(source)
    assert found.code is Code.REFUSED
    assert found.params == {"url": closed.url, "kind": "rest", "status": 403}
    closed.state = "gone"
    closed.save()
    assert only(source).code is Code.GONE


def test_what_is_wrong_is_told_the_worst_first() -> None:
    source = sources.source(last_success_at=NOW - HOUR)
    sources.channel(source=source, state="gone")
    Push.objects.create(source=source, kind="ping", state="broken", missed=3, created_at=NOW)
    found = health.of(now=NOW)[source.id]
    assert [each.code for each in found] == [Code.GONE, Code.STALE, Code.PUSH_BROKEN]
    assert found[-1].params == {"kind": "ping", "missed": 3}


def test_a_source_that_answers_and_tells_nothing_is_silent() -> None:
    source = sources.source()
    stories(source, *(20 + n for n in range(10)))
    found = only(source)
    assert found.code is Code.SILENT
    assert found.params == {"since": NOW - 20 * HOUR, "usual_s": 3600}


def test_a_night_as_long_as_other_nights_is_no_silence() -> None:
    source = sources.source()
    stories(source, *(9 + n for n in range(8)), *(9 + 7 + 10 + n for n in range(8)))
    assert only(source).code is Code.FRESH


@pytest.mark.parametrize("hours", [(3,), (20, 21, 22)])
def test_too_few_stories_say_nothing_about_silence(hours: tuple[int, ...]) -> None:
    source = sources.source()
    stories(source, *hours)
    assert only(source).code is Code.FRESH


def test_what_was_there_before_us_says_nothing_about_the_rhythm() -> None:
    source = sources.source()
    stories(source, *(20 + n for n in range(10)))
    source_articles = type(articles.article(source=source, first_seen_at=NOW - 99 * HOUR)).objects
    source_articles.update(state="baseline")
    assert health.rhythms_of(source_ids=[source.id]) == {}
    assert health.usual_gap_s(source_id=source.id) is None


def test_many_sources_cost_as_many_queries_as_one() -> None:
    for _ in range(3):
        sources.channel(source=sources.source())
    with CaptureQueriesContext(
        connection,
    ) as few:
        assert len(health.of(now=NOW)) == 3
    for _ in range(20):
        sources.channel(source=sources.source())
    with CaptureQueriesContext(connection) as many:
        assert len(health.of(now=NOW)) == 23
    assert len(few) == len(many) == 4
    assert health.of(now=NOW, source_ids=[]) == {}


def test_every_code_has_a_sentence_that_its_params_fill() -> None:
    assert set(SENTENCES) == set(Code)
    known = {"url", "since", "why", "usual_s", "kind", "missed"}
    named = {name for words in SENTENCES.values() for _, name, _, _ in string.Formatter().parse(words) if name}
    assert named <= known
    assert not any("no news" in words for words in SENTENCES.values())
