from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from pipeline.editions.models import Edition, Newsletter
from pipeline.schedule.newsletters.sentences import settings, span, when
from pipeline.staff.models import Role
from tests.factories import articles, editions, staff

pytestmark = pytest.mark.django_db
DAILY: dict[str, Any] = {"kind": "daily", "zone": "Europe/Brussels", "at": ["06:30"]}


def signed_in(role: Role = Role.EDITOR) -> Client:
    client = Client()
    client.force_login(staff.user(role=role))
    return client


def daily(**fields: Any) -> Newsletter:
    made = editions.newsletter()
    Newsletter.objects.filter(id=made.id).update(cadence=DAILY, **fields)
    made.refresh_from_db()
    return made


def a_day(ahead: int) -> str:
    return (timezone.now().astimezone(ZoneInfo("Europe/Brussels")) + timedelta(days=ahead)).date().isoformat()


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_every_departure_of_four_weeks_stands_in_the_calendar() -> None:
    daily()
    page = text(signed_in().get("/desk/calendar/"))
    assert 27 <= page.count("<time datetime=") <= 29


def test_a_skipped_day_stands_there_with_its_reason_and_can_be_given_back() -> None:
    made, client = daily(), signed_in()
    day = a_day(3)
    done = client.post(f"/desk/newsletters/{made.id}/skip-day", {"day": day, "reason": "Timkat"}, follow=True)
    assert "does not leave on" in text(done)
    assert "skipped" in text(client.get("/desk/calendar/"))
    assert "Timkat" in text(client.get("/desk/calendar/"))
    assert "Leave after all" in text(client.get(f"/desk/newsletters/{made.id}/"))
    back = client.post(f"/desk/newsletters/{made.id}/leave-after-all", {"day": day}, follow=True)
    assert "leaves on" in text(back)
    assert Newsletter.objects.get(id=made.id).cadence.get("skip", {}) == {}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"day": "", "reason": "x"}, "Choose a day"),
        ({"day": "2001-01-01", "reason": "x"}, "has passed"),
        ({"day": "tomorrow", "reason": "x"}, "Choose a day"),
    ],
)
def test_a_day_that_cannot_be_skipped_says_why(fields: dict[str, str], said: str) -> None:
    made = daily()
    assert said in text(signed_in().post(f"/desk/newsletters/{made.id}/skip-day", fields, follow=True))
    assert Newsletter.objects.get(id=made.id).cadence == made.cadence


def test_a_viewer_looks_and_changes_nothing() -> None:
    made, client = daily(), signed_in(Role.VIEWER)
    page = text(client.get(f"/desk/newsletters/{made.id}/"))
    assert "Skip the day" not in page
    for act in ("pause", "end", "resume"):
        answer = client.post(f"/desk/newsletters/{made.id}/{act}", {"reason": "x"}, follow=True)
        assert "Nothing was changed" in text(answer)
    assert Newsletter.objects.get(id=made.id).state == "active"


def test_pausing_resuming_and_ending_are_done_here_and_kept_with_their_reasons() -> None:
    made, client = daily(), signed_in()
    assert "is paused" in text(client.post(f"/desk/newsletters/{made.id}/pause", {"reason": "summer"}, follow=True))
    assert "paused" in text(client.get("/desk/calendar/"))
    assert "runs again" in text(client.post(f"/desk/newsletters/{made.id}/resume", {"gap": "carry"}, follow=True))
    done = client.post(f"/desk/newsletters/{made.id}/end", {"reason": "merged", "day": ""}, follow=True)
    assert "has ended" in text(done)
    assert "summer" in text(done), "what was done stands on the page"


def test_the_next_runs_say_what_they_would_carry_today() -> None:
    now = timezone.now()
    made = daily(created_at=now - timedelta(days=30))
    told = articles.article(now=now - timedelta(hours=1))
    slot = next(run.at for run in _runs(made, now) if run.at > now)
    Edition.objects.create(newsletter=made, slot_at=slot)
    page = text(signed_in().get(f"/desk/newsletters/{made.id}/"))
    assert "Next 5 runs" in page
    assert told.headline in page


def _runs(made: Newsletter, now: datetime) -> list[Any]:
    from pipeline.schedule import calendar

    return calendar.upcoming(made, now=now)


def test_a_cadence_nobody_can_read_is_said_and_breaks_no_page() -> None:
    made = daily()
    Newsletter.objects.filter(id=made.id).update(cadence={"kind": "daily", "at": ["25:99"]})
    client = signed_in()
    assert "cannot be read" in text(client.get(f"/desk/newsletters/{made.id}/"))
    assert client.get("/desk/calendar/").status_code == 200


@pytest.mark.parametrize(("seconds", "said"), [(90, "90 s"), (120, "2 min"), (5400, "1 h 30 min"), (90061, "1 d 1 h 1 min 1 s"), (0, "0 s")])  # fmt: skip
def test_a_length_is_said_to_the_second(seconds: int, said: str) -> None:
    assert span(seconds) == said


def test_the_settings_are_sentences() -> None:
    made = daily()
    told = dict(settings(made))
    assert told["When"] == "At 06:30 Europe/Brussels, every day; the wall clock counts when clocks change."
    assert told["Undo"] == "An approval can be taken back for 90 s."
    assert all(said.endswith(".") for said in told.values())
    made.cadence = {"kind": "weekly", "zone": "Africa/Addis_Ababa", "at": ["07:00"], "weekdays": ["mon", "fri"]}
    assert when(made).startswith("At 07:00 Africa/Addis_Ababa, Mondays, Fridays")
