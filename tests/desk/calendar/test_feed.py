"""The calendar in somebody else's program: whole, folded, and gone with its token."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from pipeline.editions.models import Newsletter
from pipeline.staff.models import Role
from pipeline.staff.tokens import issue, revoke
from tests.factories import editions, staff

pytestmark = pytest.mark.django_db
DAILY: dict[str, Any] = {"kind": "daily", "zone": "Europe/Brussels", "at": ["06:30"]}


def opened() -> tuple[Any, str]:
    return issue(owner=staff.ada(), name="phone", role=Role.VIEWER, expires_at=None, now=timezone.now())


def unfolded(body: str) -> list[str]:
    return body.replace("\r\n ", "").split("\r\n")


def test_every_departure_is_an_event_with_a_reason_where_there_is_none() -> None:
    day = (timezone.now() + timedelta(days=5)).date().isoformat()
    why = "Timkat; a day off, and a long reason é " + "ሰላም " * 20
    editions.newsletter(name="Morning, Noon", cadence={**DAILY, "skip": {day: why}}, now=timezone.now())
    _, token = opened()
    answer = Client().get(f"/desk/calendar/{token}.ics")
    body = answer.content.decode()
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert "no-store" in answer.headers["Cache-Control"]
    assert all(len(line.encode()) <= 75 for line in body.split("\r\n"))
    lines = unfolded(body)
    assert 27 <= lines.count("BEGIN:VEVENT") <= 29
    assert lines.count("STATUS:CANCELLED") == 1
    assert any(line.startswith("DESCRIPTION:Timkat\\; a day off\\, and") for line in lines)
    assert "SUMMARY:Morning\\, Noon: planned" in lines
    uids = [line for line in lines if line.startswith("UID:")]
    assert len(set(uids)) == len(uids)


def test_the_address_ends_with_its_token() -> None:
    row, token = opened()
    assert Client().get(f"/desk/calendar/{token}.ics").status_code == 200
    revoke(token_id=row.id, by=row.owner, now=timezone.now())
    assert Client().get(f"/desk/calendar/{token}.ics").status_code == 404


@pytest.mark.parametrize("token", ["x", "dl_", "%00", "a" * 300])
def test_a_guess_finds_nothing(token: str) -> None:
    assert Client().get(f"/desk/calendar/{token}.ics").status_code == 404


def test_a_feed_takes_no_post_and_a_broken_newsletter_breaks_none() -> None:
    editions.newsletter(cadence=DAILY, now=timezone.now())
    Newsletter.objects.update(cadence={"kind": "daily", "at": ["25:99"]})
    _, token = opened()
    assert Client().get(f"/desk/calendar/{token}.ics").status_code == 200
    assert Client().post(f"/desk/calendar/{token}.ics").status_code == 405
