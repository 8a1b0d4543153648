"""Who may do what at the programs' door: every operation is called by everybody, as one table says."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from pipeline.api.door import api
from pipeline.editions.models import Newsletter
from pipeline.posts.models import Account, Post
from pipeline.ranking.models import Pin
from tests.api.conftest import asking, token_of
from tests.desk.conftest import Morning
from tests.factories import editions, personas
from tests.factories.personas import EDITORS, EDITORS_AT_LARGE, EVERYBODY, PERSONAS, POSTERS

REASON = {"reason": "a test of locks"}


@dataclass(frozen=True, slots=True)
class Row:
    """Who may, what they send, and which edition it is about where that matters."""

    may: frozenset[str]
    body: dict[str, Any] = field(default_factory=dict)
    edition: str = "ready"


WORDS = {"subject": "Ours", "preheader": "", "note": ""}
TABLE: dict[str, Row] = {
    "show_today": Row(EVERYBODY),
    "show_me": Row(EVERYBODY),
    "list_editions": Row(EVERYBODY),
    "show_edition": Row(EVERYBODY),
    "show_message": Row(EVERYBODY),
    "show_send": Row(EVERYBODY, edition="leaving"),
    "list_deliveries": Row(EDITORS_AT_LARGE, edition="leaving"),
    "approve_edition": Row(EDITORS),
    "undo_approval": Row(EDITORS),
    "skip_edition": Row(EDITORS, REASON),
    "write_edition": Row(EDITORS, WORDS),
    "compose_again": Row(EDITORS),
    "raise_alert": Row(EDITORS, {"newsletter_id": "{alerts}", "article_id": "{story}", "so_what": "It matters."}),
    "put_story": Row(EDITORS, {"block": 1}),
    "move_story": Row(EDITORS, {"to": "down"}),
    "leave_story_out": Row(EDITORS),
    "let_rules_decide": Row(EDITORS),
    "write_story": Row(EDITORS, {"headline": "Ours"}),
    "take_site_words": Row(EDITORS),
    "keep_our_words": Row(EDITORS),
    "pause_send": Row(EDITORS, edition="leaving"),
    "resume_send": Row(EDITORS, edition="leaving"),
    "cancel_send": Row(EDITORS, REASON, edition="leaving"),
    "confirm_send": Row(EDITORS, {"readers": 10}, edition="leaving"),
    "send_to_the_rest": Row(EDITORS, edition="leaving"),
    "resend_doubts": Row(EDITORS, edition="leaving"),
    "list_newsletters": Row(EVERYBODY),
    "show_newsletter": Row(EVERYBODY),
    "skip_day": Row(EDITORS, {"day": "2030-01-01", **REASON}),
    "leave_after_all": Row(EDITORS, {"day": "2030-01-01"}),
    "pause_newsletter": Row(EDITORS, REASON),
    "resume_newsletter": Row(EDITORS, {"gap": "carry"}),
    "end_newsletter": Row(EDITORS, REASON),
    "list_articles": Row(EVERYBODY),
    "show_article": Row(EVERYBODY),
    "kill_article": Row(EDITORS_AT_LARGE, REASON),
    "list_holds": Row(EVERYBODY),
    "release_hold": Row(EDITORS_AT_LARGE),
    "release_batch": Row(EDITORS_AT_LARGE, {"batch": "embargo-1", "count": 1}),
    "discard_batch": Row(EDITORS_AT_LARGE, {"batch": "embargo-1", "count": 1}),
    "list_posts": Row(EVERYBODY),
    "show_post": Row(EVERYBODY),
    "approve_post": Row(POSTERS),
    "hold_post": Row(POSTERS),
    "cancel_post": Row(POSTERS),
    "choose_words": Row(POSTERS, {"variant_id": 1}),
    "settle_post": Row(POSTERS, {"is_live": True}),
    "take_down_post": Row(POSTERS),
    "list_accounts": Row(EVERYBODY),
    "show_account": Row(EVERYBODY),
    "pause_account": Row(POSTERS, REASON),
    "resume_account": Row(POSTERS),
    "show_popular": Row(EVERYBODY),
    "lay_hand": Row(EDITORS_AT_LARGE, {"kind": "pin", **REASON}),
    "lift_hand": Row(EDITORS_AT_LARGE, REASON),
    "list_sources": Row(EVERYBODY),
    "show_source": Row(EVERYBODY),
    "pause_source": Row(EDITORS_AT_LARGE),
    "resume_source": Row(EDITORS_AT_LARGE),
    "look_now": Row(EDITORS_AT_LARGE),
    "end_caution": Row(EDITORS_AT_LARGE),
    "list_brakes": Row(EVERYBODY),
    "pull_brake": Row(EDITORS_AT_LARGE, REASON),
    "release_brake": Row(EDITORS_AT_LARGE),
    "find_reader": Row(EDITORS_AT_LARGE, {"address": "cleo@example.org"}),
    "list_journal": Row(EDITORS_AT_LARGE),
}
#: What a door answers that lets somebody in: it was done, or the row's state is in the way.
LET_IN = {200, 409}


def operations() -> list[tuple[str, str, str]]:
    """(name, method, path) of every operation there is."""
    paths = api.get_openapi_schema(path_prefix="")["paths"]
    return [
        (told["operationId"], method.upper(), path) for path, ways in paths.items() for method, told in ways.items()
    ]


def filled(path: str, row: Row, morning: Morning, *, kind: str = "sending") -> str:
    edition = {"ready": morning.ready.id, "leaving": morning.leaving.edition_id}[row.edition]
    numbers = {
        "edition_id": edition,
        "newsletter_id": morning.ready.newsletter_id,
        "article_id": morning.ready.items.filter(picked=True).values_list("article_id", flat=True)[0],
        "hold_id": morning.held.id,
        "post_id": Post.objects.values_list("id", flat=True)[0],
        "account_id": Account.objects.values_list("id", flat=True)[0],
        "source_id": morning.held.article.source_id,
        "pin_id": Pin.objects.values_list("id", flat=True)[0],
        "kind": kind,
    }
    return re.sub(r"\{(\w+)\}", lambda found: str(numbers[found[1]]), path)


def body_of(row: Row, morning: Morning) -> dict[str, Any]:
    """What is sent: the revision goes along, whoever does not want it does not read it."""
    alerts = Newsletter.objects.get(kind=Newsletter.Kind.ALERT).id
    known = {"{alerts}": alerts, "{story}": morning.stories[0].id}
    told = {name: known.get(value, value) if isinstance(value, str) else value for name, value in row.body.items()}
    return {"revision": morning.ready.revision, **told}


@pytest.fixture
def house(morning: Morning) -> Morning:
    """A morning with a pin, a batch that was held, and a newsletter of alerts."""
    editions.newsletter(slug="alerts", name="Alerts", kind=Newsletter.Kind.ALERT, now=morning.now)
    article = morning.stories[0]
    until = morning.now + timedelta(days=1)
    Pin.objects.create(article=article, kind=Pin.Kind.PIN, created_at=morning.now, until=until)
    type(morning.held).objects.update(batch="embargo-1")
    return morning


def test_every_operation_has_a_row_and_every_row_an_operation() -> None:
    names = [name for name, _, _ in operations()]
    assert len(names) == len(set(names)), "two operations of one name"
    assert set(names) == set(TABLE), "say in the table who may do it"


@pytest.mark.parametrize("name", PERSONAS)
def test_everybody_is_let_in_or_turned_away_as_the_table_says(client: Client, house: Morning, name: str) -> None:
    ask = asking(client, token_of(personas.person(name)))
    before, wrong = personas.acts(), []
    for operation, method, path in operations():
        row = TABLE[operation]
        with personas.undone():
            answer = ask(method, filled(path, row, house), body_of(row, house) if method == "POST" else None)
            let_in = answer.status_code in LET_IN
            if let_in != (name in row.may) or (not let_in and answer.status_code != 403):
                wrong.append((operation, answer.status_code, answer.content[:300]))
            if not let_in and personas.acts() != before:
                wrong.append((operation, answer.status_code, b"turned away, and something was done"))
    assert wrong == []


def test_whoever_comes_without_a_token_is_told_how_to_come(client: Client, house: Morning) -> None:
    before, wrong = personas.acts(), []
    for text in (None, "dl_nobody-ever-made-this-one"):
        ask = asking(client, text)
        for operation, method, path in operations():
            row = TABLE[operation]
            answer = ask(method, filled(path, row, house), body_of(row, house) if method == "POST" else None)
            if answer.status_code != 401 or answer.json()["error"] != "unknown_token":
                wrong.append((operation, answer.status_code))
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert wrong == []
    assert personas.acts() == before


def test_a_session_of_the_desk_opens_nothing_here(client: Client, house: Morning) -> None:
    client.force_login(personas.person("admin"))
    ask = asking(client, None)
    for operation, method, path in operations():
        row = TABLE[operation]
        answer = ask(method, filled(path, row, house), body_of(row, house) if method == "POST" else None)
        assert answer.status_code == 401, operation


@pytest.mark.parametrize(("kind", "may"), [("posting", {"social"}), ("sending", set()), ("telling", set())])
def test_a_social_editor_stops_posting_and_nothing_else(
    client: Client, house: Morning, kind: str, may: set[str]
) -> None:
    ask = asking(client, token_of(personas.person("social")))
    assert ask("POST", f"/brakes/{kind}/pull", REASON).status_code == (200 if "social" in may else 403)


def test_a_granted_newsletter_and_account_may_be_acted_on(client: Client, house: Morning) -> None:
    limited = personas.person(personas.LIMITED)
    limited.grants.create(kind="newsletter", object_id=house.ready.newsletter_id)
    limited.grants.create(kind="account", object_id=Account.objects.get().id)
    ask = asking(client, token_of(limited))
    assert ask("POST", f"/editions/{house.ready.id}/approve", {"revision": house.ready.revision}).status_code == 200
    assert ask("POST", f"/editions/{house.leaving.edition_id}/send/pause").status_code == 403, "another newsletter's"
    assert ask("POST", f"/accounts/{Account.objects.get().id}/pause", REASON).status_code == 200
