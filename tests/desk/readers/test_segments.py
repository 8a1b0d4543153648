"""Segments by conditions: what is typed is what is kept, shown again and counted."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from pipeline.audience.models import Segment
from pipeline.audience.segments.rules import parsed
from pipeline.desk.readers import conditions
from pipeline.staff.models import JournalEntry, Role
from tests.factories import audience, staff

LEAVES: list[dict[str, Any]] = [
    {"follows": "weekly"},
    {"clicks": {"section": "politics", "at_least": 3, "days": 30}},
    {"joined": {"after": "2026-01-01"}},
    {"joined": {"after": "2026-01-01", "before": "2026-06-01"}},
    {"domain": ["example.org", "example.net"]},
    {"language": "fr"},
    {"active": {"days": 90}},
    {"inactive": {"days": 90}},
]
leaf = st.sampled_from(LEAVES)
condition = st.one_of(leaf, leaf.map(lambda rule: {"not": rule}))
flat = st.tuples(st.sampled_from(["all", "any"]), st.lists(condition, min_size=1, max_size=6)).map(
    lambda pair: {pair[0]: pair[1]}
)


def post_of(match: str, rows: list[conditions.Row]) -> dict[str, str]:
    fields = {"match": match, "rows": str(len(rows))}
    for n, row in enumerate(rows):
        fields[f"kind-{n}"] = row.kind
        fields |= {f"{name}-{n}": value for name, _, value in row.fields()}
        fields |= {f"not-{n}": "yes"} if row.is_not else {}
    return fields


@settings(max_examples=50, deadline=None)
@given(flat)
def test_a_rule_shown_in_the_form_and_sent_back_is_the_same_rule(rule: dict[str, Any]) -> None:
    shown = conditions.form_of(parsed(rule))
    assert shown is not None
    again = conditions.rule_of(*conditions.typed(post_of(*shown)))
    assert parsed(again) == parsed(rule)


@pytest.mark.parametrize(
    "rule", [{"all": [{"any": LEAVES[:2]}]}, {"not": {"not": LEAVES[0]}}, {"not": {"all": LEAVES[:1]}}]
)
def test_a_rule_nested_deeper_is_a_sentence_and_no_form(rule: dict[str, Any]) -> None:
    assert conditions.form_of(parsed(rule)) is None
    assert conditions.sentence(parsed(rule)).startswith("Readers who ")


def test_a_line_is_added_and_taken_away_without_losing_the_others() -> None:
    fields = post_of(
        "any", [conditions.Row("language", False, {"language": "fr"}), conditions.Row("active", False, {"days": "9"})]
    )
    assert [row.kind for row in conditions.typed({**fields, "more": "yes"})[1]] == ["language", "active", ""]
    assert [row.kind for row in conditions.typed({**fields, "remove": "0"})[1]] == ["active"]
    assert [row.kind for row in conditions.typed({"rows": "99999999", "kind-0": "x"})[1]] == [""]


@pytest.fixture
def door(db: None, client: Client) -> Client:
    client.force_login(staff.user(email="head@example.org", name="Hana", role=Role.HEAD))
    return client


def told(answer: Any) -> str:
    return " ".join(" ".join(html.fromstring(answer.content).itertext()).split())


FRENCH = {"name": "French", "match": "all", "rows": "1", "kind-0": "language", "language-0": "fr"}


def test_a_segment_is_counted_while_it_is_typed_and_kept_with_its_maker(door: Client) -> None:
    audience.subscriber(follows=audience.topic(), language="fr-be")
    audience.readers(count=2, follows=audience.topic())
    looked = told(door.post("/desk/readers/segments/look", FRENCH))
    assert "Readers who read in fr." in looked and "1 reader now" in looked
    assert Segment.objects.count() == 0, "looking keeps nothing"
    assert "Kept: 1 reader now" in told(door.post("/desk/readers/segments/keep", FRENCH, follow=True))
    row, entry = Segment.objects.get(), JournalEntry.objects.get()
    assert (row.slug, row.rule, row.counted) == ("french", {"all": [{"language": "fr"}]}, 1)
    assert (entry.verb, entry.actor and entry.actor.name) == ("make segment", "Hana")


def test_a_change_keeps_the_slug_and_tells_the_journal_what_it_was(door: Client) -> None:
    door.post("/desk/readers/segments/keep", FRENCH)
    row = Segment.objects.get()
    page = html.fromstring(door.get(f"/desk/readers/segments/{row.id}/").content)
    assert page.xpath("//*[@id='language-0']/@value") == ["fr"]
    door.post("/desk/readers/segments/keep", {**FRENCH, "segment": str(row.id), "name": "Arabic", "language-0": "ar"})
    row.refresh_from_db()
    assert (row.slug, row.name, row.rule) == ("french", "Arabic", {"all": [{"language": "ar"}]})
    assert JournalEntry.objects.order_by("-id")[0].detail["old"] == {"all": [{"language": "fr"}]}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"kind-0": ""}, "Choose at least one condition"),
        ({"kind-0": "active", "days-0": "soon"}, "Condition 1, days: a whole number"),
        ({"kind-0": "joined", "after-0": "2026-06-01", "before-0": "2026-01-01"}, "Condition 1, joined: nobody joined"),
        ({"kind-0": "language", "language-0": "'; DROP"}, "Condition 1, language"),
        ({"name": " "}, "Give it a name"),
    ],
)
def test_what_cannot_be_read_is_said_and_nothing_is_kept(door: Client, typed: dict[str, str], said: str) -> None:
    answer = door.post("/desk/readers/segments/keep", {**FRENCH, **typed})
    assert answer.status_code == 422 and said in told(answer)
    assert Segment.objects.count() == 0


def test_a_segment_that_is_only_looked_at_is_not_counted_again(door: Client) -> None:
    audience.subscriber(follows=audience.topic(), language="fr")
    door.post("/desk/readers/segments/keep", FRENCH)
    audience.subscriber(address="ben@example.org", follows=audience.topic(), language="fr")
    row = Segment.objects.get()
    assert "1 reader when counted" in told(door.get(f"/desk/readers/segments/{row.id}/"))
    assert "2 readers now" in told(door.post("/desk/readers/segments/look", {**FRENCH, "segment": str(row.id)}))


def test_two_of_one_name_get_slugs_of_their_own(door: Client) -> None:
    for _ in range(3):
        door.post("/desk/readers/segments/keep", FRENCH)
    assert set(Segment.objects.values_list("slug", flat=True)) == {"french", "french-2", "french-3"}


def test_an_editor_may_try_a_segment_and_keep_none(db: None, client: Client) -> None:
    client.force_login(staff.ada())
    assert "readers now" in told(client.post("/desk/readers/segments/look", FRENCH))
    client.post("/desk/readers/segments/keep", FRENCH)
    assert Segment.objects.count() == 0
