"""Compiled rules choose whom the rule says; what cannot be read is refused with its place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.audience.models import Interest, Subscriber, Subscription
from pipeline.audience.segments import compiling
from pipeline.audience.segments.rules import UnreadableRule, parsed
from tests.factories import audience

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
SECTIONS, TOPICS, DOMAINS = ("politics", "sport'; --"), ("brief", "weekly"), ("example.org", "müller.example")
LANGUAGES = ("fr", "fr-be", "en", "frr")
DAYS = st.integers(1, 5)

_leaf = st.one_of(
    st.builds(
        lambda s, n, d: {"clicks": {"section": s, "at_least": n, "days": d}},
        st.sampled_from(SECTIONS),
        st.integers(1, 4),
        DAYS,
    ),
    st.builds(lambda t: {"follows": t}, st.sampled_from([*TOPICS, "none such"])),
    st.builds(lambda d: {"joined": {"after": f"2026-11-2{d}"}}, DAYS),
    st.builds(lambda d: {"joined": {"after": "2026-11-20", "before": f"2026-11-2{d}"}}, DAYS),
    st.builds(
        lambda d: {"domain": d}, st.sampled_from([*DOMAINS, ["example.org", "xn--mller-kva.example"], "ample.org"])
    ),
    st.builds(lambda code: {"language": code}, st.sampled_from(LANGUAGES)),
    st.builds(lambda d: {"active": {"days": d}}, DAYS),
    st.builds(lambda d: {"inactive": {"days": d}}, DAYS),
)
RULES = st.recursive(
    _leaf,
    lambda inner: st.one_of(
        st.builds(lambda rules: {"all": rules}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda rules: {"any": rules}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda rule: {"not": rule}, inner),
    ),
    max_leaves=8,
)
_ago = st.one_of(st.none(), st.integers(0, 130))
READERS = st.lists(
    st.fixed_dictionaries(
        {
            "domain": st.sampled_from(DOMAINS), "language": st.sampled_from(LANGUAGES), "joined": _ago, "seen": _ago,
            "tracking": st.sampled_from(Subscriber.Tracking.values),
            "follows": st.sets(st.sampled_from(TOPICS)), "left": st.sets(st.sampled_from(TOPICS)),
            "clicks": st.dictionaries(st.sampled_from(SECTIONS), st.tuples(st.integers(1, 5), st.integers(0, 130))),
        }
    ),
    min_size=1, max_size=6,
)  # fmt: skip


def _at(hours: int | None) -> datetime | None:
    return None if hours is None else NOW - timedelta(hours=hours)


def _holds(rule: dict[str, Any], reader: dict[str, Any]) -> bool:  # noqa: PLR0911 - one for each kind of rule
    """The same language in Python, written from its description."""
    ((key, body),) = rule.items()
    if key == "all":
        return all(_holds(one, reader) for one in body)
    if key == "any":
        return any(_holds(one, reader) for one in body)
    if key == "not":
        return not _holds(body, reader)
    if key == "clicks":
        count, hours = reader["clicks"].get(body["section"], (0, 10**6))
        return bool(count >= body["at_least"] and hours <= body["days"] * 24)
    if key == "follows":
        return body in reader["follows"] - reader["left"]
    if key == "joined":
        day = None if reader["joined"] is None else f"{_at(reader['joined']):%Y-%m-%d}"
        return day is not None and body.get("after", "") <= day and ("before" not in body or day < body["before"])
    if key == "domain":
        names = [body] if isinstance(body, str) else body
        return reader["domain"] in [name.replace("xn--mller-kva", "müller") for name in names]
    if key == "language":
        return bool(reader["language"] == body or reader["language"].startswith(f"{body}-"))
    hours = reader["seen"]
    if key == "active":
        return hours is not None and hours <= body["days"] * 24
    return reader["tracking"] == "consented" and hours is not None and hours > body["days"] * 24


@pytest.mark.django_db
@given(rule=RULES, people=READERS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_statement_chooses_whom_the_rule_says(rule: dict[str, Any], people: list[dict[str, Any]]) -> None:
    if rule.get("joined", {}).get("before") == "2026-11-20":
        return
    topics = {slug: audience.topic(slug=slug, name=slug) for slug in TOPICS}
    Subscriber.objects.all().delete()
    expected = set()
    for number, each in enumerate(people):
        row = audience.subscriber(
            address=f"r{number}@{each['domain']}", language=each["language"], tracking=each["tracking"]
        )
        Subscriber.objects.filter(id=row.id).update(joined_at=_at(each["joined"]), last_human_at=_at(each["seen"]))
        for slug in each["follows"]:
            Subscription.objects.create(
                subscriber=row, topic=topics[slug], since=NOW, left_at=NOW if slug in each["left"] else None
            )
        for section, (clicks, hours) in each["clicks"].items():
            Interest.objects.create(
                subscriber=row, section=section, clicks=clicks, last_at=NOW - timedelta(hours=hours)
            )
        if _holds(rule, each):
            expected.add(row.id)
    condition, values = compiling.segment_clause(parsed(rule), now=NOW)
    chosen = Subscriber.objects.raw(f"SELECT reader.id FROM dateline_subscriber reader WHERE {condition}", values)  # noqa: S608
    assert {row.id for row in chosen} == expected


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({}, "the rule: a rule is an object with one key"),
        ("1=1; DROP TABLE", "the rule: a rule is an object"),
        ({"sql": "1=1"}, "sql: no such rule; there are all, any"),
        ({"all": []}, "all: a list of at least one rule"),
        ({"all": [{"follows": "x"}, {"clicks": {"section": "a", "at_least": 0, "days": 3}}]}, r"all\[1\].clicks.at_least: a whole number"),
        ({"not": {"clicks": {"section": "a", "days": 3}}}, "not.clicks: at_least is missing"),
        ({"active": {"days": True}}, "active.days: a whole number"),
        ({"active": {"days": 3, "hours": 1}}, "active.hours: no such field"),
        ({"joined": {"after": "31.1.2026"}}, "joined.after: a day such as"),
        ({"joined": {"after": "2026-02-01", "before": "2026-01-01"}}, "joined: nobody joined"),
        ({"language": "fr%"}, "language: 'fr%' is no language"),
        ({"domain": []}, "domain: at least one"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_names_its_place(rule: object, said: str) -> None:
    with pytest.raises(UnreadableRule, match=f"^{said}"):
        parsed(rule)


def test_a_rule_nested_without_end_is_refused() -> None:
    rule: dict[str, Any] = {"follows": "x"}
    for _ in range(2_000):
        rule = {"not": rule}
    with pytest.raises(UnreadableRule, match="too much"):
        parsed(rule)


@pytest.mark.django_db
def test_the_preview_counts_only_who_gets_the_mail() -> None:
    brief = audience.topic()
    audience.subscriber(address="a@example.org", follows=brief)
    audience.subscriber(address="b@example.org")
    rule = parsed({"domain": "example.org"})
    assert (compiling.count(rule, now=NOW), compiling.count(rule, now=NOW, topic_id=brief.id)) == (1, 1)
    assert compiling.count(parsed({"domain": "example.com"}), now=NOW, topic_id=brief.id) == 0
