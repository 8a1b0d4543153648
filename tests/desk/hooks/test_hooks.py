"""Hooks at the desk: added through the guard, tried over real HTTP, repeated, removed; administrators only."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from pipeline.demo.world.serving import Answer, LocalServer, Request
from pipeline.hooks import steer
from pipeline.hooks.deliver import deliver
from pipeline.hooks.models import Hook, Notice
from pipeline.hooks.tell import open_hook, tell
from pipeline.kernel.outbound.http import Client as Guarded
from pipeline.staff.models import JournalEntry, Role
from tests.factories import staff

pytestmark = pytest.mark.django_db
PUBLIC = "https://93.184.216.34/hook?token=deep"


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(staff.user(email="root@example.org", name="Root", role=Role.ADMIN))
    return client


@pytest.fixture
def hook() -> Hook:
    return open_hook(url=PUBLIC, events=["article.killed"], name="Our CMS", now=timezone.now())[0]


class Listener:
    """A program on loopback."""

    def __init__(self) -> None:
        self.heard: list[Request] = []
        self.status = 200
        self.server = LocalServer(answer=self._take, name="listener")
        self.server.start()
        place = self.server.url.removeprefix("http://")
        self.client = Guarded(site_url="http://here.example", allow=frozenset({place}))

    def _take(self, request: Request) -> Answer:
        self.heard.append(request)
        return Answer(b"", status=self.status)


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.client.close()
    made.server.stop()


def told(answer: Any) -> str:
    return " ".join(" ".join(html.fromstring(answer.content).itertext()).split())


def add(door: Client, **fields: Any) -> Any:
    return door.post("/desk/hooks/add", {"url": PUBLIC, "name": "CMS", "events": ["article.killed"], **fields})


def test_a_hook_is_added_and_its_secret_shown_this_once(root: Client) -> None:
    [secret] = html.fromstring(add(root).content).xpath("//input[@id='secret']/@value")
    assert len(secret) > 30
    assert secret not in root.get("/desk/hooks/").content.decode()
    entry = JournalEntry.objects.get()
    assert (entry.verb, entry.detail["events"]) == ("open_hook", ["article.killed"])
    assert secret not in str(entry.detail)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": "https://10.0.0.8/"}, "not on the public internet"),
        ({"url": "http://[::1]/"}, "not on the public internet"),
        ({"url": "http://169.254.169.254/latest/"}, "not on the public internet"),
        ({"url": "https://93.184.216.34:6379/"}, "a port other than 80 and 443"),
        ({"url": "ftp://93.184.216.34/"}, "not an http or https address"),
        ({"url": "https://me:secret@93.184.216.34/"}, "carries a name or password"),
        ({"url": "nonsense"}, "not an http or https address"),
        ({"events": []}, "choose at least one event"),
        ({"events": ["reader.peeked"]}, "no such event"),
    ],
)
def test_an_address_the_guard_refuses_is_not_added(root: Client, fields: dict[str, Any], said: str) -> None:
    answer = add(root, **fields)
    assert answer.status_code == 422 and said in told(answer) and "Nothing was added" in told(answer)
    assert (Hook.objects.count(), JournalEntry.objects.count()) == (0, 0)


def test_a_try_is_posted_signed_and_its_answer_told(root: Client, listener: Listener) -> None:
    hook, secret = open_hook(url=listener.server.url, events=["article.killed"], name="CMS", now=timezone.now())
    root.post(f"/desk/hooks/{hook.id}/ping")
    assert deliver(now=timezone.now(), client=listener.client) == 1
    [heard] = listener.heard
    at, mac = heard.headers["dateline-signature"].removeprefix("t=").split(",v1=")
    assert hmac.compare_digest(
        mac, hmac.new(secret.encode(), f"{at}.".encode() + heard.body, hashlib.sha256).hexdigest()
    )
    page = told(root.get(f"/desk/hooks/{hook.id}/"))
    assert "a try from the desk" in page and "answered 200 at the first attempt" in page


def test_a_notice_that_was_given_up_is_told_again_under_its_id(root: Client, listener: Listener) -> None:
    now = timezone.now()
    hook, _ = open_hook(url=listener.server.url, events=["article.killed"], name="CMS", now=now)
    tell(event="article.killed", body={"id": 1}, now=now)
    listener.status = 410
    deliver(now=now, client=listener.client)
    notice = Notice.objects.get()
    page = told(root.get(f"/desk/hooks/{hook.id}/"))
    assert "given up" in page and "answered 410, after 1 attempt" in page
    assert "not awake" in told(root.post(f"/desk/hooks/notices/{notice.id}/repeat", follow=True))
    root.post(f"/desk/hooks/{hook.id}/wake")
    root.post(f"/desk/hooks/notices/{notice.id}/repeat")
    listener.status = 204
    assert deliver(now=timezone.now() + timedelta(seconds=1), client=listener.client) == 1
    assert [request.headers["dateline-notice"] for request in listener.heard] == [str(notice.id)] * 2
    assert "is told already" in told(root.post(f"/desk/hooks/notices/{notice.id}/repeat", follow=True))


def test_a_paused_hook_is_told_nothing_until_it_is_woken(root: Client, hook: Hook) -> None:
    root.post(f"/desk/hooks/{hook.id}/pause")
    assert tell(event="article.killed", body={}, now=timezone.now()) == 0
    assert "Wake it first" in told(root.post(f"/desk/hooks/{hook.id}/ping", follow=True))
    root.post(f"/desk/hooks/{hook.id}/wake")
    assert tell(event="article.killed", body={}, now=timezone.now()) == 1
    assert "awake already" in told(root.post(f"/desk/hooks/{hook.id}/wake", follow=True))
    assert list(JournalEntry.objects.order_by("id").values_list("verb", flat=True)) == ["pause_hook", "wake_hook"]


def test_a_removed_hook_is_gone_with_its_notices(root: Client, hook: Hook) -> None:
    tell(event="article.killed", body={}, now=timezone.now())
    assert "Our CMS is removed" in told(root.post(f"/desk/hooks/{hook.id}/remove", {"reason": "moved"}, follow=True))
    assert (Hook.objects.count(), Notice.objects.count()) == (0, 0)
    assert JournalEntry.objects.get().reason == "moved"


@pytest.mark.parametrize("role", [Role.HEAD, Role.EDITOR, Role.SOCIAL, Role.VIEWER])
def test_who_is_no_administrator_looks_and_does_nothing(client: Client, hook: Hook, role: Role) -> None:
    client.force_login(staff.user(email="other@example.org", role=role))
    for page in (client.get("/desk/hooks/"), client.get(f"/desk/hooks/{hook.id}/")):
        assert "93.184.216.34" in page.content.decode() and "deep" not in page.content.decode()
    for act in ("pause", "wake", "ping", "remove"):
        assert "Only an administrator" in told(client.post(f"/desk/hooks/{hook.id}/{act}", follow=True))
    add(client, url="https://93.184.216.35/")
    assert [one.state for one in Hook.objects.all()] == ["active"]
    assert (Notice.objects.count(), JournalEntry.objects.count()) == (0, 0)


def test_judging_an_address_connects_to_nothing(listener: Listener) -> None:
    steer.judge(listener.server.url, client=listener.client)
    assert listener.heard == []
    with pytest.raises(steer.Refused):
        steer.judge(listener.server.url, client=Guarded(site_url="http://here.example"))
