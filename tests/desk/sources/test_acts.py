from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html as lxml_html

from pipeline.desk.sources import acts, adding
from pipeline.sources.models import Push, Source
from pipeline.staff.models import JournalEntry, Stop
from tests.factories import sources, staff

pytestmark = pytest.mark.django_db
TERMS = {"is_ours": "yes", "poll_s": "60", "settle_s": "0", "daily_budget": "12", "zone": "Asia/Tokyo"}


@pytest.fixture
def source() -> Source:
    now = timezone.now()
    made = sources.source(now=now, cautious_until=now + timedelta(hours=2), cautious_because="generator changed")
    sources.channel(source=made, now=now + timedelta(hours=1))
    return made


def act(client: Client, source: Source, name: str, **sent: str) -> str:
    answer = client.post(f"/desk/sources/{source.id}/{name}", sent, follow=True)
    return answer.content.decode()


def test_an_editor_pauses_and_resumes(desk: Client, source: Source) -> None:
    assert "Paused: nobody looks" in act(desk, source, "pause")
    assert "It was paused already." in act(desk, source, "pause")
    assert "Watched again, beginning now." in act(desk, source, "resume")
    assert "It was being watched already." in act(desk, source, "resume")
    assert list(JournalEntry.objects.order_by("id").values_list("verb", "actor__name")) == [
        ("pause", "Ada"),
        ("resume", "Ada"),
    ]


def test_an_editor_has_it_looked_at_now(desk: Client, source: Source) -> None:
    assert "Being looked at now by 1 way." in act(desk, source, "look")
    assert source.channels.get().next_due_at <= timezone.now()
    act(desk, source, "pause")
    assert "There is no way that may be asked now" in act(desk, source, "look")


def test_an_editor_ends_a_caution(desk: Client, source: Source) -> None:
    said = act(desk, source, "end-caution")
    assert "Trusted again from now on. What was held stays held" in said
    assert "It was under no caution any more." in act(desk, source, "end-caution")


def test_other_terms_are_kept(desk: Client, source: Source) -> None:
    assert "Kept." in act(desk, source, "change", **TERMS)
    source.refresh_from_db()
    assert (source.poll_s, source.settle_s, source.daily_budget, source.zone) == (60, 0, 12, "Asia/Tokyo")
    assert "That is what it was before." in act(desk, source, "change", **TERMS)


def test_wrong_terms_change_nothing_and_lose_no_words(desk: Client, source: Source) -> None:
    answer = desk.post(f"/desk/sources/{source.id}/change", {**TERMS, "zone": "Mars/Olympus"})
    document: Any = lxml_html.document_fromstring(answer.content.decode())
    assert answer.status_code == 400
    assert "No such zone." in document.text_content()
    assert document.xpath("//input[@name='zone']/@value") == ["Mars/Olympus"]
    assert document.xpath("//input[@name='poll_s']/@value") == ["60"]
    assert Source.objects.get().zone == "UTC"


@pytest.mark.parametrize(("sent", "kind"), [("webhook", "webhook"), ("ghost", "ghost"), ("nonsense", "webhook")])
def test_a_webhooks_secret_is_shown_once(desk: Client, source: Source, sent: str, kind: str) -> None:
    answer = desk.post(f"/desk/sources/{source.id}/webhook", {"kind": sent})
    document: Any = lxml_html.document_fromstring(answer.content.decode())
    [secret] = document.xpath("//input[@id='secret']/@value")
    assert len(secret) >= 40
    assert "no-store" in answer.headers["Cache-Control"]
    assert Push.objects.get().kind == kind
    assert secret not in desk.get(f"/desk/sources/{source.id}/").content.decode()


def test_a_webhook_is_ended(desk: Client, source: Source) -> None:
    desk.post(f"/desk/sources/{source.id}/webhook", {"kind": "webhook"})
    push = Push.objects.get()
    assert "It had ended." in act(desk, source, "end-webhook", push="x")
    assert "Ended: what it still sends is not heard." in act(desk, source, "end-webhook", push=str(push.id))
    assert Push.objects.get().state == Push.State.ENDED


def test_the_brake_needs_a_reason_and_is_pulled_once(desk: Client) -> None:
    assert acts.NO_REASON in desk.post("/desk/sources/stop", {"reason": " "}, follow=True).content.decode()
    assert not Stop.objects.exists()
    said = desk.post("/desk/sources/stop", {"reason": "the wrong archive"}, follow=True).content.decode()
    assert "Stopped: no new story is told from now on." in said
    stop = Stop.objects.get(kind=Stop.Kind.TELLING)
    assert (str(stop.by), stop.reason) == ("Ada", "the wrong archive")
    again = desk.post("/desk/sources/stop", {"reason": "mine"}, follow=True).content.decode()
    assert "Telling was stopped already." in again
    assert Stop.objects.get().reason == "the wrong archive"


def test_telling_goes_on_and_says_what_stays_held(desk: Client) -> None:
    desk.post("/desk/sources/stop", {"reason": "the wrong archive"})
    said = desk.post("/desk/sources/tell-again", follow=True).content.decode()
    assert "Stories that were held meanwhile stay held" in said
    assert not Stop.objects.exists()
    assert "Telling was not stopped." in desk.post("/desk/sources/tell-again", follow=True).content.decode()
    assert list(JournalEntry.objects.order_by("id").values_list("verb", flat=True)) == ["stop", "resume"]


@pytest.mark.parametrize("name", ["pause", "resume", "look", "end-caution", "change", "webhook", "end-webhook"])
def test_who_may_only_look_changes_nothing(client: Client, source: Source, name: str) -> None:
    client.force_login(staff.ben())
    assert adding.NOT_YOURS in act(client, source, name, **TERMS)
    assert not JournalEntry.objects.exists() and not Push.objects.exists()
    kept = Source.objects.get()
    assert (kept.state, kept.poll_s, kept.cautious_because) == ("active", source.poll_s, "generator changed")


def test_who_may_only_look_pulls_no_brake(client: Client) -> None:
    client.force_login(staff.ben())
    for name in ("stop", "tell-again"):
        said = client.post(f"/desk/sources/{name}", {"reason": "mine"}, follow=True).content.decode()
        assert acts.NOT_YOUR_BRAKE in said
    assert not Stop.objects.exists()


def test_an_act_on_a_source_that_is_not_there_is_not_found(desk: Client) -> None:
    assert desk.post("/desk/sources/999999/pause").status_code == 404
