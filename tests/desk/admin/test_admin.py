"""The admin behind the desk: administrators only, through the desk's own door; every table, read; few settings, journaled."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.utils import timezone
from lxml import html

from pipeline.audience.models import Subscriber, Topic
from pipeline.desk.admin import tables
from pipeline.desk.admin.site import site
from pipeline.hooks.tell import open_hook
from pipeline.staff import second_factor
from pipeline.staff.models import JournalEntry, Role, User
from tests.factories import audience, staff
from tests.staff.codes import shown

pytestmark = pytest.mark.django_db
MODELS = list(apps.get_app_config("dateline").get_models())


@pytest.fixture
def root(db: None) -> User:
    return staff.user(email="root@example.org", name="Root", role=Role.ADMIN, password=staff.PASSWORD)


@pytest.fixture
def door(root: User, client: Client) -> Client:
    client.force_login(root)
    return client


def at(model: type[Any], rest: str = "") -> str:
    return f"/desk/admin/{model._meta.app_label}/{model._meta.model_name}/{rest}"


def told(answer: Any) -> str:
    return " ".join(" ".join(html.fromstring(answer.content).itertext()).split())


def test_every_table_is_listed(door: Client) -> None:
    page = door.get("/desk/admin/").content.decode()
    assert [model for model in MODELS if at(model) not in page] == []
    assert [model for model in MODELS if not site.is_registered(model)] == []


def test_every_table_opens_is_searched_and_has_no_way_to_add_or_delete(door: Client, morning: Any) -> None:
    for model in MODELS:
        page = door.get(at(model))
        assert page.status_code == 200, model
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
        assert "unsafe" not in page.headers["Content-Security-Policy"]
        assert not html.fromstring(page.content).xpath("//style | //script[not(@src)][not(@type)] | //@style"), model
        assert door.get(at(model), {"q": "a'b%"}).status_code == 200, model
        assert door.get(at(model, "add/")).status_code == 403
        row = model._default_manager.first()
        if row is not None and not tables._is_bytes(model._meta.pk):
            assert door.get(at(model, f"{row.pk}/change/")).status_code == 200, model
            assert door.post(at(model, f"{row.pk}/delete/"), {"post": "yes"}).status_code == 403
            assert model._default_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize("role", [Role.HEAD, Role.EDITOR, Role.SOCIAL, Role.VIEWER])
def test_nobody_else_comes_in(client: Client, role: Role) -> None:
    topic = audience.topic()
    client.force_login(staff.user(email="other@example.org", role=role))
    for path in ("/desk/admin/", "/desk/admin/login/", at(Topic), at(Topic, f"{topic.id}/change/")):
        assert client.get(path, follow=True).status_code == 403
    assert client.post(at(Topic, f"{topic.id}/change/"), {"name": "Mine"}, follow=True).status_code == 403
    assert Topic.objects.get().name == "Morning Brief"


def test_a_stranger_is_sent_to_the_desks_own_door_and_cannot_sign_in_here(client: Client, root: User) -> None:
    answer = client.get("/desk/admin/login/?next=/desk/admin/dateline/topic/")
    assert answer.headers["Location"] == "/desk/sign-in/?next=/desk/admin/dateline/topic/"
    client.post("/desk/admin/login/", {"username": root.email, "password": staff.PASSWORD})
    assert client.get("/desk/admin/").status_code == 302


def test_the_second_factor_stands_before_the_admin_too(client: Client, root: User) -> None:
    second_factor.confirm(root, code=shown(second_factor.begin(root), at=timezone.now()), now=timezone.now())
    form = {"username": root.email, "password": staff.PASSWORD, "next": "/desk/admin/"}
    assert client.post("/desk/sign-in/", form).headers["Location"] == "/desk/sign-in/code"
    assert client.get("/desk/admin/").status_code == 302


def test_a_closed_account_is_out_at_once(door: Client, root: User) -> None:
    User.objects.filter(id=root.id).update(is_active=False)
    assert door.get("/desk/admin/").status_code == 302


def test_a_setting_is_changed_and_the_journal_tells_what_it_was(door: Client, root: User) -> None:
    topic = audience.topic()
    form = {"name": "Evening Brief", "about": "At six", "is_offered": "on", "slug": "stolen", "per_week": "99"}
    assert door.post(at(Topic, f"{topic.id}/change/"), form).status_code == 302
    topic.refresh_from_db()
    assert (topic.name, topic.slug, topic.per_week) == ("Evening Brief", "morning-brief", 0)
    entry = JournalEntry.objects.get()
    assert (entry.verb, entry.subject, entry.subject_id, entry.actor) == (
        "change behind the desk", "topic", topic.id, root,
    )  # fmt: skip
    assert entry.detail["name"] == {"old": "Morning Brief", "new": "Evening Brief"}


def test_a_table_of_machines_takes_no_change(door: Client) -> None:
    cleo = audience.cleo()
    assert door.post(at(Subscriber, f"{cleo.id}/change/"), {"state": "erased"}).status_code == 403
    assert Subscriber.objects.get().state == "active"


def test_no_secret_is_shown(door: Client, root: User) -> None:
    hook, _ = open_hook(url="https://cms.example/", events=["article.killed"], name="CMS", now=timezone.now())
    for row, hidden in ((hook, hook.secret), (root, root.password)):
        page = door.get(at(type(row), f"{row.pk}/change/")).content.decode()
        assert "cms.example" in page or root.email in page
        assert hidden not in page


def test_a_reader_is_found_by_the_beginning_of_the_address(door: Client) -> None:
    audience.cleo()
    audience.readers(count=2, follows=audience.topic())
    assert "1 reader" in told(door.get(at(Subscriber), {"q": "Cleo@"})).replace("1 subscriber", "1 reader")


@pytest.mark.parametrize("term", ["9" * 40, "\x00", "²", "-1"])
def test_a_search_for_no_number_finds_nothing(door: Client, term: str) -> None:
    audience.cleo()
    assert door.get(at(Subscriber), {"q": term}).status_code == 200


def test_a_long_table_is_counted_to_a_limit_in_a_bounded_number_of_questions(
    door: Client, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(tables, "MOST_COUNTED", 60)
    audience.readers(count=80, follows=audience.topic())
    with django_assert_max_num_queries(12):
        page = door.get(at(Subscriber))
    assert "60 subscribers" in told(page)
    assert door.get(at(Subscriber), {"p": "99"}).status_code in {200, 302}


def test_a_list_that_takes_too_long_is_given_up_in_words(door: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(self: object, request: object) -> list[str]:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")
        return []

    monkeypatch.setattr(tables, "PATIENCE_MS", 30)
    monkeypatch.setattr(tables.Table, "get_list_display", slow)
    assert "took longer than anybody waits" in told(door.get(at(Subscriber), follow=True))
