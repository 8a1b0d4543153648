"""From nothing to a digest in one's own mailbox, as an administrator's browser does it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from pipeline.articles.models import Article
from pipeline.audience.models import Consent, Subscription
from pipeline.delivery.models import Delivery, Transport
from pipeline.demo.world.inbox import Inbox
from pipeline.desk.guide import steps
from pipeline.editions.models import Newsletter
from pipeline.staff.models import JournalEntry, Role, Stop
from tests.factories import articles, editions, sources, staff

pytestmark = pytest.mark.django_db
PLAN = {
    "name": "Morning Brief", "at": "06:30", "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    "zone": "Europe/Brussels", "approval": "editor", "publisher": "The Dispatch", "sender": "brief@dispatch.example.org",
}  # fmt: skip
SECRET = "harbour/lantern:9@"


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    made = Inbox()
    made.start()
    yield made
    made.stop()


def browser(role: Role = Role.ADMIN) -> Client:
    client = Client()
    client.force_login(staff.user(role=role))
    return client


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def relay_at(port: int, **more: str) -> dict[str, str]:
    return {"host": "127.0.0.1", "port": str(port), "security": "smtp", "username": "", "password": "", **more}


def test_an_empty_house_is_told_what_is_missing_and_today_leads_there() -> None:
    client = browser()
    assert "6 steps are missing" in text(client.get("/desk/"))
    page = text(client.get("/desk/guide/"))
    assert "6 of 6 are missing" in page
    assert "No site is watched yet" in page
    assert "if you like" in page, "accounts are not needed"


def test_the_whole_way_ends_with_a_digest_in_the_editors_own_mailbox(inbox: Inbox) -> None:
    client, now = browser(), timezone.now()
    site = sources.source(now=now)
    told = articles.article(source=site, now=now, state=Article.State.BASELINE, age_s=3600)
    client.post("/desk/guide/newsletter/make", PLAN)
    client.post("/desk/guide/sender/keep", {"from_name": "The Dispatch", "from_address": "Brief@dispatch.example.org", "postal_address": "12 Harbour Row\r\nBrussels"})  # fmt: skip
    kept = client.post("/desk/guide/sender/relay", relay_at(inbox.smtp_port), follow=True)
    assert "Kept, and mail can leave" in text(kept)
    looks = {"design": "weekly", "paper": "white", "typeface": "sans", "accent": "#123456", "tagline": "", "logo_url": ""}  # fmt: skip
    client.post("/desk/guide/design/keep", looks)
    client.post("/desk/guide/readers/me")
    sent = client.post("/desk/guide/test/send")
    assert "The server took it: 250" in text(sent)
    [mail] = inbox.mails()
    assert mail.recipient == "ada@example.org"
    assert mail.message["From"] == "The Dispatch <brief@dispatch.example.org>"
    assert mail.message["Subject"] == f"[Test] {told.headline}"
    plain, html = (part.get_content() for part in mail.message.iter_parts())
    assert told.url in plain, "links lead straight to the story"
    assert told.url in html
    assert "[[dl:" not in html
    assert "12 Harbour Row" in html
    assert steps.missing(steps.steps()) == []
    assert "steps are missing" not in text(client.get("/desk/"))
    assert Delivery.objects.count() == 0, "no reader was mailed"


def test_a_newsletter_is_made_with_its_times_and_journal_and_nobody_as_reader() -> None:
    client = browser()
    client.post("/desk/guide/newsletter/make", {**PLAN, "days": ["mon", "fri"]})
    made = Newsletter.objects.get()
    assert made.cadence == {"kind": "weekly", "zone": "Europe/Brussels", "at": ["06:30"], "weekdays": ["mon", "fri"]}
    assert [block.kind for block in made.blocks.all()] == ["lead", "top", "popular"]
    assert Subscription.objects.count() == 0
    assert JournalEntry.objects.filter(verb="make", subject="newsletter", subject_id=made.id).exists()
    again = client.post("/desk/guide/newsletter/make", PLAN)
    assert again.status_code == 422
    assert "already" in text(again)


@pytest.mark.parametrize(
    ("typed", "said"),
    [({"at": "25:00"}, "Write the time as 06:30"), ({"zone": "Mars/Base"}, "No such zone"), ({"days": []}, "at least one day"), ({"sender": "nobody"}, "Nothing was made")],
)  # fmt: skip
def test_what_cannot_be_made_says_why_and_keeps_what_was_typed(typed: dict[str, Any], said: str) -> None:
    answer = browser().post("/desk/guide/newsletter/make", {**PLAN, "publisher": "The Dispatch & Sons", **typed})
    assert answer.status_code == 422
    assert said in text(answer)
    assert "The Dispatch &amp; Sons" in text(answer)
    assert not Newsletter.objects.exists()


def test_a_relay_that_does_not_answer_is_not_kept_and_its_answer_is_said() -> None:
    answer = browser().post("/desk/guide/sender/relay", relay_at(1, username="ada", password=SECRET))
    editions.newsletter()
    assert answer.status_code == 422
    assert SECRET not in answer.content.decode()
    assert not Transport.objects.exists()
    page = browser_again().post("/desk/guide/sender/relay", relay_at(1))
    assert "127.0.0.1 could not be used: nothing listens there" in text(page)


def browser_again() -> Client:
    client = Client()
    client.force_login(staff.user(email="eve@example.org", role=Role.ADMIN))
    return client


def test_a_password_is_sealed_never_shown_and_never_sent_to_another_server() -> None:
    from pipeline.delivery.letters import relay
    from pipeline.desk.guide.acts import _kept_password
    from pipeline.kernel.config import config

    who = staff.user(role=Role.ADMIN)
    editions.newsletter()
    url = "smtp+starttls://ada:harbour%2Flantern%3A9%40@mail.dispatch.example:587"
    relay.name_relay(url=url, actor=who, now=timezone.now(), config=config())
    assert SECRET.encode() not in bytes(Transport.objects.get().settings)
    client = Client()
    client.force_login(who)
    page = client.get("/desk/guide/sender").content.decode()
    assert "mail.dispatch.example" in page
    assert SECRET not in page
    assert _kept_password("mail.dispatch.example") == SECRET
    assert _kept_password("mail.elsewhere.example") == ""
    assert SECRET not in str(list(JournalEntry.objects.values_list("detail", flat=True)))


@pytest.mark.parametrize("role", [Role.HEAD, Role.EDITOR, Role.VIEWER])
def test_only_an_administrator_names_the_mail_server(role: Role) -> None:
    answer = browser(role).post("/desk/guide/sender/relay", relay_at(1), follow=True)
    assert "Only an administrator" in text(answer)


@pytest.mark.parametrize("role", [Role.EDITOR, Role.SOCIAL, Role.VIEWER])
def test_who_is_no_head_makes_and_changes_nothing(role: Role) -> None:
    made, client = editions.newsletter(), browser(role)
    before = (made.masthead, made.from_name)
    client.post("/desk/guide/newsletter/make", {**PLAN, "name": "Another"})
    client.post("/desk/guide/sender/keep", {"from_name": "X", "from_address": "x@y.example.org", "postal_address": ""})
    client.post("/desk/guide/design/keep", {"design": "weekly", "paper": "white", "typeface": "sans"})
    made.refresh_from_db()
    assert (made.masthead, made.from_name) == before
    assert Newsletter.objects.count() == 1


def test_a_viewer_mails_nobody_not_even_themselves(inbox: Inbox) -> None:
    editions.newsletter()
    client = browser(Role.VIEWER)
    client.post("/desk/guide/test/send")
    client.post("/desk/guide/readers/me")
    assert inbox.mails() == []
    assert Subscription.objects.count() == 0


def test_adding_oneself_is_kept_as_evidence() -> None:
    made = editions.newsletter()
    client = browser(Role.EDITOR)
    assert "follows Morning Brief" in text(client.post("/desk/guide/readers/me", follow=True))
    assert Subscription.objects.get().topic_id == made.topic_id
    assert list(Consent.objects.order_by("id").values_list("act", "origin")) == [("asked", "desk guide"), ("confirmed", "desk guide")]  # fmt: skip


def test_without_a_way_out_a_test_says_so_and_the_step_stays_open() -> None:
    editions.newsletter()
    answer = browser(Role.EDITOR).post("/desk/guide/test/send")
    assert answer.status_code == 422
    assert "no way out for mail" in text(answer)
    assert not next(step for step in steps.steps() if step.key == "test").done


def test_a_server_that_refuses_is_quoted(inbox: Inbox) -> None:
    from pipeline.delivery.letters import relay
    from pipeline.kernel.config import config
    from tests.factories.mail_server import Scripted

    editions.newsletter(masthead={"postal_address": "12 Harbour Row"})
    articles.article(now=timezone.now() - timedelta(hours=1))
    with Scripted(rules={"RCPT": b"550 5.7.1 we do not know you\r\n"}) as server:
        url = f"smtp://127.0.0.1:{server.port}"
        relay.name_relay(url=url, actor=staff.user(email="o@example.org"), now=timezone.now(), config=config())
        answer = browser(Role.EDITOR).post("/desk/guide/test/send")
    assert answer.status_code == 422
    assert "550 5.7.1 we do not know you" in text(answer)


def test_while_sending_is_stopped_no_test_leaves_either() -> None:
    editions.newsletter()
    Stop.objects.create(kind=Stop.Kind.SENDING, at=timezone.now(), reason="a wrong list")
    assert "Sending is stopped" in text(browser(Role.EDITOR).post("/desk/guide/test/send"))


def test_looks_are_shown_before_they_are_kept() -> None:
    made = editions.newsletter()
    told = articles.article(now=timezone.now() - timedelta(hours=1))
    looks = {"design": "breaking", "paper": "rose", "typeface": "serif", "accent": "#0a5c36"}
    answer = browser(Role.VIEWER).post("/desk/guide/design/try", looks)
    assert answer.status_code == 200
    assert told.headline in answer.content.decode()
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert Newsletter.objects.get().masthead == made.masthead
    wrong = browser_again().post("/desk/guide/design/try", {**looks, "accent": "red"})
    assert "#9b1c2e" in wrong.content.decode()


def test_somebody_who_changed_the_sender_meanwhile_is_not_overwritten() -> None:
    from pipeline.schedule.newsletters.changing import mark_of

    made, client = editions.newsletter(), browser()
    seen = mark_of(made)
    Newsletter.objects.filter(id=made.id).update(from_name="The Evening Dispatch")
    typed = {"from_name": "Mine", "from_address": "a@dispatch.example.org", "postal_address": "", "seen": seen}
    answer = client.post("/desk/guide/sender/keep", typed)
    assert answer.status_code == 422
    assert "while you were reading" in text(answer)
    assert 'value="Mine"' in answer.content.decode()
    assert Newsletter.objects.get().from_name == "The Evening Dispatch"


def test_the_door_of_an_empty_house_says_how_the_first_account_is_made() -> None:
    assert "--role admin" in text(Client().get("/desk/sign-in/"))
    staff.ada()
    assert "--role admin" not in text(Client().get("/desk/sign-in/"))


def test_a_site_added_from_the_guide_leads_back_to_it() -> None:
    page = text(browser().get("/desk/guide/site"))
    assert '<input type="hidden" name="then" value="guide">' in page
    again = browser_again().post("/desk/sources/look", {"url": "", "then": "guide"})
    assert '<input type="hidden" name="then" value="guide">' in text(again)
