"""Who may do what at the programs' door: every operation is called by everybody, as one table says."""

from __future__ import annotations

import pytest
from django.test import Client

from pipeline.posts.models import Account
from pipeline.staff.models import JournalEntry
from tests.api.conftest import asking, token_of
from tests.api.table import REASON, TABLE, body_of, filled, operations
from tests.factories import personas
from tests.factories.mornings import Morning
from tests.factories.personas import PERSONAS

#: What a door answers that lets somebody in: it was done, or the row's state is in the way.


def test_every_operation_has_a_row_and_every_row_an_operation() -> None:
    names = [name for name, _, _ in operations()]
    assert len(names) == len(set(names)), "two operations of one name"
    assert set(names) == set(TABLE), "say in the table who may do it"


@pytest.mark.parametrize("name", PERSONAS)
def test_everybody_is_let_in_or_turned_away_as_the_table_says(client: Client, house: Morning, name: str) -> None:
    ask = asking(client, token_of(personas.person(name)))
    before, wrong = personas.acts(), []
    last = JournalEntry.objects.latest("id").id
    for operation, method, path in operations():
        row = TABLE[operation]
        with personas.undone():
            answer = ask(method, filled(path, row, house), body_of(row, house) if method == "POST" else None)
            let_in = answer.status_code in row.let_in
            if let_in != (name in row.may) or (not let_in and answer.status_code != 403):
                wrong.append((operation, answer.status_code, answer.content[:300]))
            if not let_in and personas.acts() != before:
                wrong.append((operation, answer.status_code, b"turned away, and something was done"))
            if (
                JournalEntry.objects.filter(actor__email=f"{name}@example.org", id__gt=last)
                .exclude(detail__through="CMS")
                .exists()
            ):
                wrong.append((operation, answer.status_code, b"the journal does not name the token"))
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
