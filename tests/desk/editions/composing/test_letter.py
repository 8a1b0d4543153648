"""Deciding from the notice mail: by a person, once, in time; never by opening a link."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html as lxml_html

from pipeline.editions.models import Edition
from pipeline.schedule.alarms.seals import Sealed, seal
from pipeline.staff.models import JournalEntry, Role, User
from tests.desk.editions.test_placing import words
from tests.factories import staff

pytestmark = pytest.mark.django_db


def url_for(user: User, brief: Edition, *, minutes: int = 30) -> str:
    return f"/desk/decide/{seal(Sealed(user.id, brief.id, timezone.now() + timedelta(minutes=minutes)))}"


def told(answer: Any) -> Any:
    return lxml_html.document_fromstring(answer.content.decode())


def state(brief: Edition) -> str:
    return str(Edition.objects.get(id=brief.id).state)


@pytest.fixture
def link(ada: User, brief: Edition) -> str:
    return url_for(ada, brief)


def test_opening_it_shows_the_draft_and_changes_nothing(client: Client, brief: Edition, link: str) -> None:
    before = Edition.objects.values().get()
    for answer in (client.get(link), client.head(link), client.get(link)):
        assert answer.status_code == 200
    page = told(client.get(link))
    assert "For Ada" in words(page) and brief.subject in words(page) and "Story G" in words(page)
    assert page.xpath("//button[@value='approve' and starts-with(., 'Send to ')]")
    assert not page.xpath("//nav")
    assert Edition.objects.values().get() == before
    assert not JournalEntry.objects.exists()


def test_a_scanner_that_opens_every_link_of_the_letters_page_decides_nothing(
    client: Client, brief: Edition, link: str
) -> None:
    for href in told(client.get(link)).xpath("//a/@href | //form/@action"):
        client.get(href)
    assert state(brief) == "ready"
    assert not JournalEntry.objects.exists()


def test_a_button_approves_without_signing_in_as_whom_it_was_written_to(
    client: Client, brief: Edition, link: str, ada: User
) -> None:
    page = told(client.post(link, {"act": "approve", "revision": brief.revision}, follow=True))
    assert "Approved. It leaves" in words(page) and "anything more is done at the desk" in words(page)
    row = Edition.objects.get(id=brief.id)
    assert (row.state, row.approved_by) == ("approved", ada)
    assert JournalEntry.objects.get().detail["letter"] == "notice mail"
    assert "_auth_user_id" not in client.session
    client.force_login(ada)
    assert "Ada approved it from the notice mail" in words(told(client.get(f"/desk/editions/{brief.id}/")))


def test_it_skips_with_a_reason_and_only_with_one(client: Client, brief: Edition, link: str) -> None:
    page = told(client.post(link, {"act": "skip", "revision": brief.revision, "reason": " "}, follow=True))
    assert "Say why, in a few words" in words(page) and state(brief) == "ready"
    client.post(link, {"act": "skip", "revision": brief.revision, "reason": "Too thin"})
    assert state(brief) == "skipped"
    assert JournalEntry.objects.get().reason == "Too thin"


def test_it_decides_once_even_when_that_was_taken_back(client: Client, brief: Edition, link: str, desk: Client) -> None:
    stranger = Client()
    stranger.post(link, {"act": "approve", "revision": brief.revision})
    desk.post(f"/desk/editions/{brief.id}/undo")
    brief.refresh_from_db()
    page = told(stranger.post(link, {"act": "approve", "revision": brief.revision}, follow=True))
    assert "You decided about this edition by this link already" in words(page)
    assert not page.xpath("//button[@value]")
    assert state(brief) == "ready"


def test_what_changed_since_the_page_was_opened_is_not_approved(client: Client, brief: Edition, link: str) -> None:
    page = told(client.post(link, {"act": "approve", "revision": brief.revision - 1}, follow=True))
    assert "Someone changed this edition while you were reading it" in words(page)
    assert state(brief) == "ready"


@pytest.mark.parametrize("act", ["", "undo", "APPROVE"])
def test_a_post_that_names_no_act_does_nothing(client: Client, brief: Edition, link: str, act: str) -> None:
    client.post(link, {"act": act, "revision": brief.revision})
    assert state(brief) == "ready"


def test_a_form_without_its_token_decides_nothing(brief: Edition, link: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(link, {"act": "approve", "revision": brief.revision}).status_code == 403


def test_after_the_slot_it_says_so(client: Client, brief: Edition, ada: User) -> None:
    late = url_for(ada, brief, minutes=0)
    for answer in (client.get(late), client.post(late, {"act": "approve", "revision": brief.revision})):
        assert answer.status_code == 410
        assert "It worked until the edition was to leave" in words(told(answer))
    assert state(brief) == "ready"


@pytest.mark.parametrize("token", ["x", "A" * 54, "é", "A" * 3000])
def test_a_link_that_is_not_ours_says_nothing_of_what_it_is_not(client: Client, brief: Edition, token: str) -> None:
    answer = client.get(f"/desk/decide/{token}")
    assert answer.status_code == 410
    assert brief.subject not in answer.content.decode()


def test_nobody_decides_with_somebody_elses_letter(desk: Client, brief: Edition) -> None:
    others = url_for(staff.user(email="eve@example.org", name="Eve"), brief)
    answer = desk.post(others, {"act": "approve", "revision": brief.revision})
    assert answer.status_code == 410
    assert "This letter was written to Eve, and you are signed in as Ada." in words(told(answer))
    assert state(brief) == "ready"


@pytest.mark.parametrize("change", [{"role": Role.VIEWER}, {"is_limited": True}])
def test_what_the_addressee_may_is_asked_when_the_button_is_pressed(
    client: Client, brief: Edition, link: str, ada: User, change: dict[str, Any]
) -> None:
    User.objects.filter(id=ada.id).update(**change)
    page = told(client.post(link, {"act": "approve", "revision": brief.revision}, follow=True))
    assert "Nothing was changed" in words(page)
    assert state(brief) == "ready"


def test_a_closed_account_decides_nothing(client: Client, brief: Edition, link: str, ada: User) -> None:
    User.objects.filter(id=ada.id).update(is_active=False)
    assert client.get(link).status_code == 410


def test_with_a_second_factor_one_signs_in_first(client: Client, brief: Edition, link: str, ada: User) -> None:
    User.objects.filter(id=ada.id).update(totp_confirmed_at=timezone.now())
    for answer in (client.get(link), client.post(link, {"act": "approve", "revision": brief.revision})):
        assert answer.status_code == 302
        assert answer.headers["Location"] == f"/desk/sign-in/?next=%2Fdesk%2Feditions%2F{brief.id}%2F"
    assert state(brief) == "ready"
    client.force_login(ada)
    client.post(link, {"act": "approve", "revision": brief.revision})
    assert state(brief) == "approved"
