"""Reports against a recount in a few lines of Python, computed when their events changed and not more often."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.engagement.keeping import forget, reports
from pipeline.engagement.keeping.reports import Filtered, Told
from pipeline.engagement.models import Event, Origin, Report
from pipeline.engagement.records import Flag
from pipeline.engagement.settle import settle
from tests.factories.engagement import event

pytestmark = pytest.mark.django_db
START = datetime(2026, 4, 19, 22, 0, tzinfo=UTC)
LATER = START + timedelta(days=9)
FATES = [
    ("human", []), ("pending", []), ("scanner", ["R6", "R7"]), ("scanner", ["R4"]), ("prefetch", ["MPP"]),
    ("unknown", ["PROXY"]), ("unknown", ["MAC"]),
]  # fmt: skip
acts = st.tuples(
    st.integers(0, 4 * 24 * 60),
    st.integers(1, 3),
    st.sampled_from(["click", "click", "open", "leave"]),
    st.integers(0, 2),
    st.sampled_from(FATES),
)


@pytest.fixture
def origin() -> Origin:
    return Origin.objects.create(id=7, kind=Origin.Kind.EDITION, started_at=START)


def recounted(origin: Origin) -> Told:
    """What a report must say, from every event one by one."""
    seen: defaultdict[str, set[tuple[int, bytes, int]]] = defaultdict(set)
    links: defaultdict[int, set[tuple[int, bytes]]] = defaultdict(set)
    filtered, opens, curve, waiting = Counter[tuple[str, str, str]](), Counter[str](), Counter[int](), 0
    for row in Event.objects.filter(origin=origin):
        minute = int(row.at.timestamp()) // 60
        day, person, human = minute // 1440, bytes(row.person), row.verdict == "human"
        if human:
            seen[row.kind].add((day, person, 0))
        if human and row.kind == "click":
            links[row.link].add((day, person))
            curve[minute if row.at < START + reports.BY_MINUTE else minute // 60 * 60] += 1
        waiting += row.verdict == "pending"
        if row.verdict not in {"human", "pending"}:
            filtered[row.kind, row.verdict, row.rules[0] if row.rules else ""] += 1
        if row.kind == "open" and row.verdict != "pending":
            rules = set(row.rules)
            opens["apple" if "MPP" in rules else "proxy" if "PROXY" in rules else "direct" if human else "machine"] += 1
    return Told(
        people={kind: len(who) for kind, who in seen.items()},
        filtered=tuple(sorted(Filtered(*fate, events=n) for fate, n in filtered.items())),
        waiting=waiting,
        links={number: len(who) for number, who in links.items()},
        opens={kind: opens[kind] for kind in reports.OPENS},
        curve=tuple(sorted(curve.items())),
        computed_at=LATER,
    )


def happen(origin: Origin, after_min: int, ordinal: int, kind: str, link: int, fate: tuple[str, list[str]]) -> Event:
    at = START + timedelta(minutes=after_min, seconds=30)
    return event(origin=origin, ordinal=ordinal, kind=kind, link=link, at=at, verdict=fate[0], rules=fate[1])


def computed(origin: Origin, *, now: datetime = LATER) -> Told:
    reports.mark([origin.id], now=now)
    reports.compute(Report.objects.get(origin=origin).id, now=now)
    return reports.told(origin.id)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(happened=st.lists(acts, max_size=14))
def test_a_report_equals_a_recount_before_and_after_its_persons_are_forgotten(
    origin: Origin, happened: list[tuple[int, int, str, int, tuple[str, list[str]]]]
) -> None:
    with transaction.atomic():
        for act in happened:
            happen(origin, *act)
        before = computed(origin)
        assert before == recounted(origin)
        Event.objects.filter(verdict="pending").update(verdict="unknown", rules=["MAC"])
        before = computed(origin)
        forget.forget(now=LATER)
        assert not Event.objects.filter(ordinal__gt=0).exists()
        assert computed(origin) == before == recounted(origin)
        transaction.set_rollback(True)


def test_an_origin_without_a_report_tells_of_nothing(origin: Origin) -> None:
    told = reports.told(origin.id)
    assert (told.people, told.filtered, told.curve, told.computed_at) == ({}, (), (), None)


def test_a_report_is_computed_when_it_is_stale_and_thirty_seconds_apart(origin: Origin) -> None:
    happen(origin, 5, 1, "click", 0, FATES[0])
    reports.mark([origin.id], now=START)
    assert reports.refresh(now=START) == 1
    assert reports.refresh(now=START + timedelta(minutes=1)) == 0, "nothing changed"
    happen(origin, 6, 2, "click", 0, FATES[0])
    reports.mark([origin.id], now=START + timedelta(seconds=5))
    assert reports.refresh(now=START + timedelta(seconds=29)) == 0
    assert reports.told(origin.id).people == {"click": 1}
    assert reports.refresh(now=START + timedelta(seconds=30)) == 1
    assert reports.told(origin.id).people == {"click": 2}


def test_a_mark_says_since_when_and_a_second_one_does_not_move_it(origin: Origin) -> None:
    reports.mark([origin.id], now=START)
    reports.mark([origin.id, origin.id], now=LATER)
    assert Report.objects.get().stale_since == START


def test_a_verdict_makes_its_report_stale(origin: Origin) -> None:
    row = happen(origin, 5, 1, "click", 0, ("pending", []))
    Event.objects.update(
        flags=int(Flag.MAC_OK), agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    )
    assert settle(now=row.at + timedelta(minutes=1)) == 1
    assert Report.objects.get().stale_since == row.at + timedelta(minutes=1)
