"""A whole labelled day at once: nearly every machine is found, and people are left alone."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.commands.reading.classify_hits import lines
from pipeline.engagement.asking.agents import Kind, kind
from pipeline.engagement.hits import Hit
from tests.factories import hits
from tests.factories.hits import MACHINES, READERS, SENT, labelled

FOUND = {"scanner", "prefetch"}


def as_line(one: Hit) -> str:
    """A hit as the command reads it, `delivered_at` among it."""
    told: dict[str, Any] = {
        "at": one.at.isoformat(), "delivered_at": one.delivered_at and one.delivered_at.isoformat(),
        "message": one.message, "link": one.link, "method": one.method, "ua": one.ua, "ip": one.ip,
        "headers": dict(one.headers), "honeypot": one.honeypot, "mangled": one.mangled, "asn": one.asn, "links": one.links,
    }  # fmt: skip
    return json.dumps(told)


def ruled(day: list[tuple[Hit, bool]]) -> Iterator[tuple[str, bool]]:
    answers = lines(as_line(one) for one, _ in day)
    return ((answer["verdict"], machine) for answer, (_, machine) in zip(answers, day, strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_machines_are_found_and_people_are_left_alone(seed: int) -> None:
    rulings = list(ruled(list(labelled(seed))))
    machines = [verdict for verdict, machine in rulings if machine]
    people = [verdict for verdict, machine in rulings if not machine]
    assert len(machines) > 2000
    assert len(people) > 800
    assert sum(verdict in FOUND for verdict in machines) / len(machines) >= 0.95
    assert sum(verdict != "human" for verdict in people) / len(people) <= 0.01


@pytest.mark.parametrize("machine", [*MACHINES], ids=lambda machine: machine.__name__)
def test_no_kind_of_machine_hides_behind_the_others(machine: Any) -> None:
    chance, day = random.Random(11), list[tuple[Hit, bool]]()
    for number in range(200):
        facts = {"message": f"m{number}", "delivered_at": SENT, "links": 12}
        day += [(one, True) for one in machine(chance, facts, SENT, 12)]
    found = [verdict in FOUND for verdict, _ in ruled(day)]
    assert sum(found) / len(found) >= 0.9


def test_a_scanner_on_a_rented_server_is_left_in_doubt_and_counts_nothing() -> None:
    chance, day = random.Random(5), list[tuple[Hit, bool]]()
    for number in range(50):
        facts = {"message": f"m{number}", "delivered_at": SENT, "links": 12}
        day += [(one, True) for one in hits.rented(chance, facts, SENT, 12)]
    assert {verdict for verdict, _ in ruled(day)} == {"unknown"}


@pytest.mark.parametrize("hour", [1, 5])
def test_a_wave_at_the_hour_is_a_machine_to_the_last_hit(hour: int) -> None:
    wave = [(one, True) for one in hits.wave(random.Random(hour), hour=hour)]
    assert {verdict for verdict, _ in ruled(wave)} == {"scanner"}


def test_programs_people_read_in_are_people_and_previews_are_not() -> None:
    assert {kind(ua) for ua in READERS} == {Kind.PERSON}
    assert {kind(ua) for ua in hits.UNFURLERS} == {Kind.PREVIEWER}
