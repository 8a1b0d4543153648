"""Settings are tried before they are kept, kept whole, and never over what somebody else did."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from pipeline.audience.models import Segment
from pipeline.desk.calendar.settings_form import SettingsForm, typed
from pipeline.editions.models import Edition, Newsletter
from pipeline.schedule.newsletters.changing import mark_of, values_of
from pipeline.staff.models import Grant, JournalEntry, Role, User
from tests.factories import editions, staff

pytestmark = pytest.mark.django_db
DAILY: dict[str, Any] = {"kind": "daily", "zone": "Europe/Brussels", "at": ["06:30"]}


@pytest.fixture
def brief() -> Newsletter:
    return editions.newsletter(cadence=DAILY, now=timezone.now())


def browser(role: Role = Role.HEAD, email: str = "ada@example.org") -> Client:
    client = Client()
    client.force_login(staff.user(email=email, role=role))
    return client


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def filled(row: Newsletter, **more: Any) -> dict[str, Any]:
    """The form as a browser sends it back, with these fields typed anew."""
    told = {name: value for name, value in typed(row).items() if value is not False}
    told = {name: "yes" if value is True else value for name, value in told.items()}
    return {"seen": mark_of(row), "base": json.dumps(typed(row)), **told, **more}


def keep(client: Client, row: Newsletter, **more: Any) -> Any:
    data = {name: value for name, value in filled(row, **more).items() if value is not None}
    return client.post(f"/desk/newsletters/{row.id}/settings/keep", data, follow=True)


def test_a_form_sent_back_as_it_came_changes_nothing(brief: Newsletter) -> None:
    before = values_of(brief)
    assert "Nothing differs" in text(keep(browser(), brief))
    brief.refresh_from_db()
    assert values_of(brief) == before
    assert not JournalEntry.objects.filter(subject="newsletter").exists()


CADENCES: list[dict[str, Any]] = [
    {"kind": "weekly", "zone": "UTC", "at": ["07:00", "17:00"], "weekdays": ["mon", "sun"]},
    {"kind": "monthly", "zone": "UTC", "at": ["07:00"], "days": [-1, 1, 15]},
    {"kind": "interval", "zone": "UTC", "every_s": 5400},
    {"kind": "manual"},
    {**DAILY, "skip": {"2030-05-02": "a strike"}, "except": ["2031-12-25"], "start": "2026-01-01", "end": "2040-01-01", "holidays": [{"on": "12-25", "name": "Christmas Day"}, {"on": "1 mon 05", "name": "Early May"}]},
]  # fmt: skip


@pytest.mark.parametrize("cadence", CADENCES, ids=lambda one: one["kind"])
def test_every_kind_of_times_survives_its_form(brief: Newsletter, cadence: dict[str, Any]) -> None:
    from pipeline.schedule.slots import Cadence

    brief.cadence = cadence
    form = SettingsForm({name: value for name, value in filled(brief).items() if value is not None})
    assert form.is_valid(), form.errors
    assert Cadence.from_json(form.cadence(brief)) == Cadence.from_json(cadence)


def test_what_is_changed_stands_in_the_journal_with_old_and_new(brief: Newsletter) -> None:
    some = Segment.objects.create(slug="lusaka", name="Lusaka", rule={}, created_at=timezone.now())
    done = keep(
        browser(), brief, undo_s="2 min", minimum="5", late_policy="send", approval="rules", segment=str(some.id),
        reply_to="Desk@dispatch.example.org", is_archived=None, tracking="off", reason="summer hours",
    )  # fmt: skip
    assert "Kept: Morning Brief works by it from now on" in text(done)
    brief.refresh_from_db()
    assert (brief.undo_s, brief.minimum, brief.late_policy, brief.approval) == (120, 5, "send", "rules")
    assert (brief.segment_id, brief.reply_to, brief.is_archived, brief.tracking) == (some.id, "desk@dispatch.example.org", False, "off")  # fmt: skip
    entry = JournalEntry.objects.get(verb="change settings")
    assert entry.detail["changed"]["minimum"] == [3, 5]
    assert entry.reason == "summer hours"
    assert "minimum: <del>3</del> <ins>5</ins>" in text(done)


def test_other_times_replace_what_was_only_planned(brief: Newsletter) -> None:
    keep(browser(), brief, at="07:15", weekdays=["mon"], repeats="weekly")
    brief.refresh_from_db()
    assert brief.cadence == {"kind": "weekly", "zone": "Europe/Brussels", "at": ["07:15"], "weekdays": ["mon"]}
    assert JournalEntry.objects.filter(verb="change_cadence").exists()


def test_what_would_change_is_said_and_nothing_of_it_is_kept(brief: Newsletter) -> None:
    client, before = browser(), values_of(brief)
    data = {name: value for name, value in filled(brief, undo_s="5 min", at="05:45", minimum="9").items() if value is not None}  # fmt: skip
    told = text(client.post(f"/desk/newsletters/{brief.id}/settings/try", data))
    assert "An approval can be taken back for 5 min." in told
    assert "Below 9 stories" in told
    assert told.count("05:45 CE") == 5, "five runs at the new time"
    brief.refresh_from_db()
    assert values_of(brief) == before
    assert Edition.objects.count() == 0
    assert JournalEntry.objects.count() == 0


@pytest.mark.parametrize(
    ("typed_", "said"),
    [
        ({"undo_s": "90"}, "with its unit"),
        ({"undo_s": "40 d"}, "more than thirty days"),
        ({"at": "6:70"}, "Write times as 06:30"),
        ({"zone": "Nowhere"}, "No such zone"),
        ({"holidays": "12-25"}, "needs a name"),
        ({"holidays": "12-99 Christmas"}, "Nothing was changed"),
        ({"minimum": "0"}, "greater than or equal to 1"),
        ({"from_address": "nobody"}, "Nothing was changed"),
        ({"cutoff_before_s": "2 h"}, "put the draft before it"),
        ({"accent": "red"}, "#9b1c2e"),
        ({"repeats": "weekly", "weekdays": []}, "weekdays"),
        ({"end": "2020-01-01"}, "has passed"),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_told_and_what_was_typed_is_kept(brief: Newsletter, typed_: dict[str, Any], said: str) -> None:  # fmt: skip
    before = values_of(brief)
    answer = keep(browser(), brief, tagline="R&D ‘today’", **typed_)
    assert answer.status_code == 422
    assert said in text(answer)
    assert "R&amp;D ‘today’" in text(answer)
    brief.refresh_from_db()
    assert values_of(brief) == before


def test_two_people_at_once_lose_nothing_and_see_each_other(brief: Newsletter) -> None:
    ada, eve = browser(), browser(email="eve@example.org")
    form = filled(brief, minimum="7", undo_s="3 min")
    keep(eve, brief, minimum="5", max_age_h="12")
    answer = ada.post(f"/desk/newsletters/{brief.id}/settings/keep", form)
    assert answer.status_code == 409
    page = text(answer)
    assert "while you were reading" in page
    assert "Meanwhile changed to “5”" in page, "both changed it: hers is named"
    assert 'id="minimum" name="minimum" value="7"' in page, "his stands in the field"
    assert 'name="max_age_h" value="12"' in page, "he left it alone: hers is taken over"
    assert page.count("Meanwhile changed to") == 1
    brief.refresh_from_db()
    assert (brief.minimum, brief.undo_s) == (5, 90)
    again = keep(ada, brief, minimum="7", undo_s="3 min")
    assert again.status_code == 200
    brief.refresh_from_db()
    assert (brief.minimum, brief.undo_s, brief.max_age_h) == (7, 180, 12)


@pytest.mark.parametrize("role", [Role.EDITOR, Role.SOCIAL, Role.VIEWER])
def test_who_is_no_head_looks_and_changes_nothing(brief: Newsletter, role: Role) -> None:
    client = browser(role)
    page = text(client.get(f"/desk/newsletters/{brief.id}/settings"))
    assert "You may look" in page
    assert "Keep these settings" not in page
    answer = keep(client, brief, minimum="9")
    assert "Only a desk head" in text(answer)
    told = client.post(f"/desk/newsletters/{brief.id}/settings/try", filled(brief, minimum="9"))
    assert "Only a desk head" in text(told)
    brief.refresh_from_db()
    assert brief.minimum == 3


def test_a_head_limited_to_other_newsletters_changes_nothing_here(brief: Newsletter) -> None:
    other = editions.newsletter(slug="weekly", name="Weekly", cadence=DAILY)
    client = browser()
    User.objects.update(is_limited=True)
    Grant.objects.create(user=User.objects.get(), kind=Grant.Kind.NEWSLETTER, object_id=other.id)
    assert "Only a desk head" in text(keep(client, brief, minimum="9"))
    keep(client, other, minimum="9")
    assert list(Newsletter.objects.order_by("id").values_list("minimum", flat=True)) == [3, 9]


def test_a_newsletter_that_ended_stays_as_it_was(brief: Newsletter) -> None:
    Newsletter.objects.update(state="ended")
    brief.refresh_from_db()
    assert "has ended" in text(keep(browser(), brief, minimum="9"))
    assert Newsletter.objects.get().minimum == 3


def test_a_base_nobody_can_read_only_points_out_too_much(brief: Newsletter) -> None:
    form = filled(brief, base="{", seen="old")
    answer = browser().post(f"/desk/newsletters/{brief.id}/settings/keep", form)
    assert answer.status_code == 409


def test_answers_go_where_the_settings_say(brief: Newsletter) -> None:
    from pipeline.delivery.message.mail import _headers
    from pipeline.kernel.config import config

    brief.reply_to = "desk@dispatch.example.org"
    assert _headers(brief, config=config(), now=timezone.now()).reply_to == "desk@dispatch.example.org"
