"""Who may do what at the desk: every address is called by everybody, as one table says."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from pipeline.articles.models import Hold
from pipeline.audience.models import Import
from pipeline.desk.calendar.settings_form import typed
from pipeline.desk.editions import acts as editing
from pipeline.desk.guide.forms import DESIGNS
from pipeline.desk.urls import urlpatterns
from pipeline.editions.models import DesignVersion, Newsletter
from pipeline.posts.models import Post
from pipeline.ranking.models import Pin
from pipeline.staff import tokens
from pipeline.staff.models import Role
from tests.desk.test_pages import below
from tests.factories import editions, personas, staff
from tests.factories.mornings import Morning
from tests.factories.personas import (
    ADMINS,
    EDITORS,
    EDITORS_AT_LARGE,
    EVERYBODY,
    HEADS,
    PERSONAS,
    POSTERS,
    POSTERS_AT_LARGE,
)

#: How the desk says that a role or a limit is in the way. An act that is refused otherwise did let the person in.
TURNED_AWAY = re.compile(
    r"Your role may|You work for other|You may look at this account|Only an administrator|Only a desk head"
    r"|Desk heads and administrators|your role or your limits"
)
REASON = {"reason": "a test of locks"}


@dataclass(frozen=True, slots=True)
class Row:
    """Who may, and what they send: enough of it to come to the lock.

    `leaving`: to the edition on its way; `kept`: the newsletter's settings as they are.
    """

    may: frozenset[str]
    body: dict[str, Any] = field(default_factory=dict)
    leaving: bool = False
    kept: bool = False


LOOKS = {
    "today", "account", "tokens", "people", "journal", "articles", "article", "posts", "social_account", "status",
    "popular", "readers", "reader", "erasing", "segments", "new_segment", "segment", "imports", "reader_import",
    "sources", "source", "calendar", "newsletter", "editions", "edition", "message", "message_text", "pool", "progress",
    "all_results", "results", "results_csv", "results_json", "deliveries", "alert", "queue", "send", "send_providers",
    "guide", "guide_site", "guide_newsletter", "guide_sender", "guide_dns", "guide_design", "guide_readers",
    "guide_accounts", "guide_test", "hooks", "hook", "settings", "blocks", "find",
    "designs", "design",
}  # fmt: skip
#: Of the edition on its way: what has no send has no such page.
OF_A_SEND = {"progress", "results", "results_csv", "results_json", "deliveries", "send", "send_providers"}
#: For whoever is not signed in: a form, or an address that is itself a sealed token.
OPEN = {"calendar_feed", "decide", "sign_in", "sign_out", "code", "join"}
REVISED = {"article": "{story}", "revision": "{revision}"}
NEWSLETTER = {"name": "Evening", "kind": "digest"}
ACTS: dict[str, Row] = {
    # one's own account
    "change_password": Row(EVERYBODY),
    "begin_second_factor": Row(EVERYBODY),
    "confirm_second_factor": Row(EVERYBODY),
    "end_second_factor": Row(EVERYBODY),
    "make_token": Row(EVERYBODY, {"name": "CMS", "role": "viewer", "days": "30"}),
    "revoke_token": Row(EVERYBODY),
    # people
    "invite": Row(ADMINS, {"email": "new@example.org", "role": "viewer"}),
    "change_role": Row(ADMINS, {"role": "viewer"}),
    "limit_person": Row(ADMINS),
    "close_account": Row(ADMINS),
    "open_account": Row(ADMINS),
    "drop_second_factor": Row(ADMINS),
    # the first run
    "make_newsletter": Row(HEADS, NEWSLETTER),
    "keep_sender": Row(
        HEADS, {"from_name": "Us", "from_address": "us@example.org", "postal_address": "12 Harbour Row"}
    ),
    "keep_relay": Row(ADMINS),
    "probe_mail": Row(EDITORS_AT_LARGE),
    "try_looks": Row(EVERYBODY),
    "keep_design": Row(HEADS, {"design": next(iter(DESIGNS))}),
    "add_me": Row(EDITORS_AT_LARGE),
    "send_test": Row(EDITORS_AT_LARGE),
    # stories
    "kill": Row(EDITORS_AT_LARGE, REASON),
    "release": Row(EDITORS_AT_LARGE),
    "release_batch": Row(EDITORS_AT_LARGE, {"batch": "embargo-1", "count": "1"}),
    "discard_batch": Row(EDITORS_AT_LARGE, {"batch": "embargo-1", "count": "1"}),
    # posts and accounts
    "stop_posting": Row(POSTERS_AT_LARGE, REASON),
    "post_again": Row(POSTERS_AT_LARGE),
    "approve_post": Row(POSTERS),
    "hold_post": Row(POSTERS, REASON),
    "cancel_post": Row(POSTERS, REASON),
    "choose_words": Row(POSTERS, {"variant": "1"}),
    "settle_post": Row(POSTERS, {"live": "yes"}),
    "take_down_post": Row(POSTERS, REASON),
    "social_template": Row(POSTERS, {"template": "{{ headline }} {{ link }}", "keep": "yes"}),
    "pause_social_account": Row(POSTERS, REASON),
    "resume_social_account": Row(POSTERS),
    # brakes
    "stop_sending": Row(EDITORS_AT_LARGE, REASON),
    "send_again": Row(EDITORS_AT_LARGE),
    "stop_telling": Row(EDITORS_AT_LARGE, REASON),
    "tell_again": Row(EDITORS_AT_LARGE),
    # Most Popular
    "lay_hand": Row(EDITORS_AT_LARGE, {"kind": "pin", "place": "1", **REASON}),
    "lift_hand": Row(EDITORS_AT_LARGE, REASON),
    "change_method": Row(HEADS, {"weight-email": "1", "per_section": "3", "network_cap": "20", **REASON}),
    # readers
    "export_readers": Row(HEADS),
    "suppress": Row(HEADS, REASON),
    "lift_suppression": Row(HEADS, REASON),
    "end_subscription": Row(HEADS, {"topic": "all", **REASON}),
    "export_reader": Row(HEADS, REASON),
    "forget_reader": Row(HEADS, REASON),
    "look_segment": Row(EVERYBODY),
    "keep_segment": Row(HEADS),
    "receive_import": Row(HEADS),
    "stop_import": Row(HEADS),
    "go_on_import": Row(HEADS),
    "enter_import": Row(HEADS),
    "refusals": Row(HEADS),
    # designs
    "begin_design": Row(HEADS, {"name": "Ours"}),
    "check_design": Row(HEADS, {"source": "<mjml></mjml>"}),
    "show_design": Row(HEADS, {"source": "<mjml></mjml>"}),
    "keep_design_version": Row(HEADS, {"source": "<mjml></mjml>", "seen": "1"}),
    "use_design": Row(HEADS, {"newsletter": "{newsletter}"}),
    "restore_design": Row(HEADS),
    "use_shipped": Row(HEADS),
    # hooks
    "add_hook": Row(ADMINS),
    "pause_hook": Row(ADMINS),
    "wake_hook": Row(ADMINS),
    "ping_hook": Row(ADMINS),
    "remove_hook": Row(ADMINS),
    "repeat_notice": Row(ADMINS),
    # sources
    "look_at_site": Row(EDITORS_AT_LARGE),
    "add_source": Row(EDITORS_AT_LARGE),
    "pause_source": Row(EDITORS_AT_LARGE),
    "resume_source": Row(EDITORS_AT_LARGE),
    "look_now": Row(EDITORS_AT_LARGE),
    "end_caution": Row(EDITORS_AT_LARGE),
    "change_source": Row(EDITORS_AT_LARGE),
    "open_webhook": Row(EDITORS_AT_LARGE),
    "end_webhook": Row(EDITORS_AT_LARGE),
    # the queue: several rows at once, each by its own lock
    "queue_act": Row(EDITORS, {"state": "sending", "act": "pause", "row": "{key}"}, leaving=True),
    # newsletters
    "skip_day": Row(EDITORS, {"day": "2030-01-01", **REASON}),
    "leave_after_all": Row(EDITORS, {"day": "2030-01-01"}),
    "pause_newsletter": Row(EDITORS, REASON),
    "resume_newsletter": Row(EDITORS),
    "end_newsletter": Row(EDITORS, REASON),
    "try_settings": Row(HEADS, kept=True),
    "keep_settings": Row(HEADS, kept=True),
    "try_blocks": Row(HEADS),
    "keep_blocks": Row(HEADS),
    # editions
    "approve": Row(EDITORS, REVISED),
    "undo": Row(EDITORS),
    "again": Row(EDITORS),
    "skip": Row(EDITORS, {**REVISED, **REASON}),
    "write": Row(EDITORS, {**REVISED, "subject": "Ours", "preheader": "", "note": ""}),
    "move": Row(EDITORS, {**REVISED, "to": "down"}),
    "put": Row(EDITORS, {**REVISED, "block": "1"}),
    "leave_out": Row(EDITORS, REVISED),
    "let_rules_decide": Row(EDITORS, REVISED),
    "write_story": Row(EDITORS, {**REVISED, "headline": "Ours"}),
    "take_new": Row(EDITORS, REVISED),
    "keep_mine": Row(EDITORS, REVISED),
    "here": Row(EVERYBODY, {"part": "words"}),
    "undo_change": Row(EDITORS, {"number": "1"}),
    "redo_change": Row(EDITORS, {"number": "1"}),
    "restore_edition": Row(EDITORS, {"number": "1", "seen": "1"}),
    "pause": Row(EDITORS, leaving=True),
    "resume": Row(EDITORS, leaving=True),
    "cancel": Row(EDITORS, REASON, leaving=True),
    "confirm": Row(EDITORS, {"readers": "10"}, leaving=True),
    "to_the_rest": Row(EDITORS, leaving=True),
    "settle_doubts": Row(EDITORS, leaving=True),
    "raise_alert": Row(EDITORS, {"newsletter": "{alerts}", "article": "{told}", "so_what": "It matters."}),
}
LEAVING_LOOK, LOOK = Row(EVERYBODY, leaving=True), Row(EVERYBODY)
TABLE = ACTS | {name: LEAVING_LOOK if name in OF_A_SEND else LOOK for name in LOOKS}


@dataclass(frozen=True, slots=True)
class House:
    """The morning, with the numbers a body names."""

    morning: Morning
    named: dict[str, str]

    def address(self, pattern: Any, row: Row, *, token: int) -> str:
        edition = self.morning.leaving.edition_id if row.leaving else self.morning.ready.id
        found = below(pattern, self.morning, edition=edition)
        for name, number in (
            ("tokens", str(token)),
            ("people", self.named["{ben}"]),
            ("posts", self.named["{post}"]),
            ("versions", self.named["{version}"]),
        ):
            found = found.replace(f"/{name}/1/", f"/{name}/{number}/")
        if pattern.name == "enter_import":
            return f"/desk/readers/imports/{self.named['{rehearsed}']}/enter"
        return found

    def body(self, row: Row) -> dict[str, Any]:
        if row.kept:
            return {name: value for name, value in typed(self.morning.ready.newsletter).items() if value is not None}
        return {name: self.named.get(value, value) for name, value in row.body.items()}


@pytest.fixture
def house(morning: Morning, monkeypatch: pytest.MonkeyPatch) -> House:
    """No worker runs here: waiting for one is waiting for nothing."""
    monkeypatch.setattr(editing, "PATIENCE_S", 0)
    alerts = editions.newsletter(slug="alerts", name="Alerts", kind=Newsletter.Kind.ALERT, now=morning.now)
    Pin.objects.create(article=morning.stories[0], kind=Pin.Kind.PIN, created_at=morning.now)
    Hold.objects.update(batch="embargo-1")
    done: dict[str, Any] = {
        "is_rehearsal": True,
        "state": Import.State.DONE,
        "layout": "csv",
        "started_at": morning.now,
    }
    rehearsed = Import.objects.create(name="tried.csv", digest=bytes(32), topic=alerts.topic, **done)
    named = {
        "{revision}": str(morning.ready.revision),
        "{story}": str(morning.ready.items.filter(picked=True).values_list("article_id", flat=True)[0]),
        "{told}": str(morning.stories[0].id),
        "{alerts}": str(alerts.id),
        "{version}": str(DesignVersion.objects.values_list("id", flat=True)[0]),
        "{newsletter}": str(morning.ready.newsletter_id),
        "{rehearsed}": str(rehearsed.id),
        "{ben}": str(staff.ben().id),
        "{post}": str(Post.objects.values_list("id", flat=True)[0]),
        "{key}": f"edition:{morning.leaving.edition_id}:{morning.leaving.edition.revision}",
    }
    return House(morning, named)


def called(browser: Client, house: House, pattern: Any, *, token: int = 0) -> Any:
    """The answer to what the table sends to an address."""
    row = TABLE[pattern.name]
    url = house.address(pattern, row, token=token)
    return browser.get(url) if pattern.name in LOOKS else browser.post(url, house.body(row))


def turned_away(answer: Any) -> bool:
    """Whether the desk said that a role or a limit is in the way."""
    if answer.status_code == 403:
        return True
    said = [str(message) for message in get_messages(answer.wsgi_request)]
    is_told = answer.status_code in (400, 409, 422) or b"<html" not in answer.content  # a page may explain roles
    shown = answer.content.decode(errors="replace") if is_told else ""
    return any(TURNED_AWAY.search(words) for words in (*said, shown))


LOCKED = [pattern for pattern in urlpatterns if pattern.name in TABLE]


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    assert not LOOKS & set(ACTS)
    assert {pattern.name for pattern in urlpatterns} == {*TABLE, *OPEN}, "say in the table who may do it"


@pytest.mark.parametrize("name", PERSONAS)
def test_everybody_is_let_in_or_turned_away_as_the_table_says(house: House, name: str) -> None:
    client = Client(raise_request_exception=False)
    user = personas.person(name)
    owned, _ = tokens.issue(owner=user, name="CMS", role=Role.VIEWER, expires_at=None, now=house.morning.now)
    client.force_login(user)
    session, before, wrong = client.cookies["sessionid"].value, personas.acts(), []
    for pattern in LOCKED:
        client.cookies = SimpleCookie({"sessionid": session})  # no flash of the request before
        with personas.undone():
            answer = called(client, house, pattern, token=owned.id)
            away = turned_away(answer)
            if away == (name in TABLE[pattern.name].may) or answer.status_code in (404, 405, 500):
                said = [str(message) for message in get_messages(answer.wsgi_request)]
                wrong.append((pattern.name, answer.status_code, said))
            if away and personas.acts() != before:
                wrong.append((pattern.name, answer.status_code, ["turned away, and something was done"]))
    assert wrong == []


def test_a_stranger_is_asked_to_sign_in_and_nothing_is_done(client: Client, house: House) -> None:
    before = personas.acts()
    for pattern in LOCKED:
        answer = called(client, house, pattern)
        assert answer.status_code == 302 and answer.headers["Location"].startswith("/desk/sign-in/"), pattern.name
    assert personas.acts() == before
