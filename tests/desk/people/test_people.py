from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import redis
from django.test import Client
from django.utils import timezone

from pipeline.desk import sign_in
from pipeline.editions.models import Edition, Newsletter
from pipeline.kernel.config import config
from pipeline.staff import journal, second_factor
from pipeline.staff.models import Grant, Invitation, JournalEntry, Role, User
from tests.factories import articles, editions, posts, staff
from tests.staff.codes import shown

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_tries_yet(engines: object) -> Iterator[None]:
    def clear() -> None:
        with redis.Redis.from_url(config().redis_url) as client:
            for key in client.scan_iter(f"{sign_in.PREFIX}*"):
                client.delete(key)

    clear()
    yield
    clear()


@pytest.fixture
def admin() -> User:
    return staff.user(email="root@example.org", name="Root", role=Role.ADMIN, password=staff.PASSWORD)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def with_factor(user: User) -> tuple[str, list[str]]:
    secret = second_factor.begin(user)
    codes = second_factor.confirm(user, code=shown(secret, at=timezone.now()), now=timezone.now())
    return secret, codes


def test_the_password_alone_does_not_open_a_desk_with_a_second_factor(client: Client, admin: User) -> None:
    _, codes = with_factor(admin)
    answer = client.post(
        "/desk/sign-in/", {"username": admin.email, "password": staff.PASSWORD, "next": "/desk/posts/"}
    )
    assert answer.headers["Location"] == "/desk/sign-in/code"
    assert client.get("/desk/").status_code == 302, "not in yet"
    wrong = client.post("/desk/sign-in/code", {"code": "000000"})
    assert "does not open the door" in wrong.content.decode()
    answer = client.post("/desk/sign-in/code", {"code": codes[0]})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/desk/posts/")
    assert client.get("/desk/").status_code == 200


def test_codes_are_not_guessed_for_ever(client: Client, admin: User) -> None:
    with_factor(admin)
    client.post("/desk/sign-in/", {"username": admin.email, "password": staff.PASSWORD})
    answers = [client.post("/desk/sign-in/code", {"code": f"{n:06d}"}).status_code for n in range(7)]
    assert answers[-1] == 429
    assert 302 not in answers


def test_the_code_page_knows_nobody_without_a_password(client: Client, admin: User) -> None:
    with_factor(admin)
    assert client.get("/desk/sign-in/code").headers["Location"] == "/desk/sign-in/"


def test_a_second_factor_is_set_up_with_the_phone_in_hand(admin: User) -> None:
    client = signed_in(admin)
    client.post("/desk/account/second-factor/begin")
    page = client.get("/desk/account/").content.decode()
    secret = re.search(r'class="key">([A-Z2-7 ]+)<', page)
    assert secret
    code = shown(secret.group(1).replace(" ", ""), at=timezone.now())
    shown_once = client.post("/desk/account/second-factor/confirm", {"code": code}).content.decode()
    assert shown_once.count("<li><code>") == second_factor.RECOVERY_CODES
    again = client.get("/desk/account/").content.decode()
    assert "8 recovery codes left" in again
    assert secret.group(1) not in again
    client.post("/desk/account/second-factor/end", {"password": "wrong"})
    admin.refresh_from_db()
    assert admin.totp_confirmed_at is not None
    client.post("/desk/account/second-factor/end", {"password": staff.PASSWORD})
    admin.refresh_from_db()
    assert admin.totp_confirmed_at is None


def test_another_password_ends_every_other_session(admin: User) -> None:
    here, there = signed_in(admin), signed_in(admin)
    new = "quite-another-lantern-4"
    fields = {"old_password": staff.PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post("/desk/account/password", fields).status_code == 302
    assert here.get("/desk/").status_code == 200
    assert there.get("/desk/").status_code == 302


def test_an_invitation_that_no_relay_takes_is_given_as_a_link_and_works_once(admin: User) -> None:
    client = signed_in(admin)
    answer = client.post("/desk/people/invite", {"email": "noor@example.org", "role": "editor"}, follow=True)
    link = re.search(r"(/desk/join/[\w-]+)", answer.content.decode())
    assert link, "the page says what to do when the letter did not go"
    guest = Client()
    assert guest.get(link.group(1)).status_code == 200
    assert Invitation.objects.get().used_at is None, "opening it changes nothing"
    short = guest.post(link.group(1), {"name": "Noor", "password": "short", "again": "short"})
    assert (short.status_code, User.objects.filter(email="noor@example.org").exists()) == (422, False)
    fields = {"name": "Noor", "password": staff.PASSWORD, "again": staff.PASSWORD}
    assert guest.post(link.group(1), fields).headers["Location"] == "/desk/sign-in/"
    assert guest.post(link.group(1), fields).status_code == 410
    assert User.objects.get(email="noor@example.org").role == Role.EDITOR


@pytest.mark.parametrize("role", [Role.HEAD, Role.EDITOR, Role.SOCIAL, Role.VIEWER])
def test_only_administrators_change_people(admin: User, role: Role) -> None:
    client = signed_in(staff.user(role=role))
    for path, fields in (
        ("/desk/people/invite", {"email": "x@example.org", "role": "admin"}),
        (f"/desk/people/{admin.id}/role", {"role": "viewer"}),
        (f"/desk/people/{admin.id}/close", {}),
        (f"/desk/people/{admin.id}/drop-second-factor", {}),
    ):
        assert "Only an administrator" in client.post(path, fields, follow=True).content.decode()
    admin.refresh_from_db()
    assert (admin.role, admin.is_active, Invitation.objects.count()) == (Role.ADMIN, True, 0)


def test_an_administrator_changes_a_role_and_the_journal_says_why(admin: User) -> None:
    ben = staff.ben()
    client = signed_in(admin)
    client.post(f"/desk/people/{ben.id}/role", {"role": "head", "reason": "night desk"})
    ben.refresh_from_db()
    assert ben.role == Role.HEAD
    page = client.get("/desk/journal/?people=yes").content.decode()
    assert "night desk" in page
    assert "change role" in page


def test_somebody_who_works_here_is_limited_and_let_at_all_again(admin: User) -> None:
    ben, brief = staff.ben(), editions.newsletter(now=timezone.now())
    client, path = signed_in(admin), f"/desk/people/{ben.id}/limit"
    client.post(path, {"only": [f"newsletter:{brief.id}"], "reason": "on trial"})
    ben.refresh_from_db()
    assert ben.is_limited and [(one.kind, one.object_id) for one in ben.grants.all()] == [("newsletter", brief.id)]
    page = client.get("/desk/people/").content.decode()
    assert "limited to 1" in page and f'value="newsletter:{brief.id}" selected' in page
    assert "one of them is gone" in client.post(path, {"only": ["newsletter:999"]}, follow=True).content.decode()
    client.post(path, {"reason": "trusted"})
    ben.refresh_from_db()
    assert not ben.is_limited and not ben.grants.exists()
    assert list(JournalEntry.objects.filter(verb="change limits").order_by("id").values_list("reason", flat=True)) == [
        "on trial",
        "trusted",
    ]


def test_the_journal_is_found_by_person_act_and_subject(admin: User) -> None:
    for number in range(3):
        journal.note(verb="approve", subject="edition", subject_id=number, actor=admin, now=timezone.now())
    journal.note(verb="skip", subject="edition", subject_id=1, now=timezone.now(), reason="a quiet night")
    client = signed_in(admin)
    assert client.get("/desk/journal/?subject=edition 1").content.decode().count('data-label="To"') == 2
    assert client.get("/desk/journal/?verb=skip").content.decode().count('data-label="To"') == 1
    assert client.get(f"/desk/journal/?who={admin.email}").content.decode().count('data-label="To"') == 3
    assert "No act matches" in client.get("/desk/journal/?verb=nothing").content.decode()
    assert client.get("/desk/journal/?subject=edition 9999999999999999999999&page=x").status_code == 200


def test_nothing_here_changes_by_looking(admin: User) -> None:
    client = signed_in(admin)
    for path in ("/desk/people/invite", f"/desk/people/{admin.id}/close", "/desk/account/second-factor/begin"):
        assert client.get(path).status_code == 405
    assert not JournalEntry.objects.exists()


def test_a_limited_editor_acts_on_what_was_granted_and_on_nothing_else() -> None:
    theirs, other = editions.newsletter(), editions.newsletter(slug="evening", name="Evening Brief")
    limited = staff.user(email="limited@example.org")
    User.objects.filter(id=limited.id).update(is_limited=True)
    Grant.objects.create(user=limited, kind=Grant.Kind.NEWSLETTER, object_id=theirs.id)
    client = signed_in(User.objects.get(id=limited.id))
    for row, said in ((other, "You work for other newsletters than Evening Brief"), (theirs, "is paused")):
        answer = client.post(f"/desk/newsletters/{row.id}/pause", {"reason": "summer"}, follow=True)
        assert said in answer.content.decode()
    assert [row.state for row in Newsletter.objects.order_by("id")] == ["paused", "active"]
    edition = Edition.objects.create(newsletter=other, slot_at=timezone.now(), state="ready")
    answer = client.post(f"/desk/editions/{edition.id}/skip", {"revision": 0, "reason": "x"}, follow=True)
    assert "You work for other newsletters" in answer.content.decode()
    post = posts.post(article=articles.article(), account=posts.account(), text="Port reopens")
    answer = client.post(f"/desk/posts/{post.id}/cancel", {"reason": "x"}, follow=True)
    assert "You work for other accounts" in answer.content.decode()
    edition.refresh_from_db()
    post.refresh_from_db()
    assert (edition.state, post.state) == ("ready", "draft")
