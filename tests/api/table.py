"""Every operation of the programs' door with who may do it, and with what it is called."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from pipeline.api.door import api
from pipeline.audience.models import Import
from pipeline.editions.models import Design, Newsletter
from pipeline.posts.models import Account, Post
from pipeline.ranking.models import Pin
from pipeline.schedule.newsletters.changing import mark_of, mark_of_blocks
from pipeline.staff.models import User
from tests.factories.mornings import Morning
from tests.factories.personas import ADMINS, EDITORS, EDITORS_AT_LARGE, EVERYBODY, HEADS, POSTERS

REASON = {"reason": "a test of locks"}
#: An address the guard turns away at once, so that no site is asked.
NOWHERE = "http://127.0.0.1:9/"
COUNTING = {"weights": {}, "box_weight": 0, "age_cap_days": None, "per_section": 3, "network_cap": 20}
TERMS = {"is_ours": True, "zone": "Asia/Tokyo"}


@dataclass(frozen=True, slots=True)
class Row:
    """Who may, what they send, and which edition it is about where that matters."""

    may: frozenset[str]
    body: dict[str, Any] = field(default_factory=dict)
    edition: str = "ready"
    let_in: frozenset[int] = frozenset({200, 409})  #: what whoever may hears


BLOCKS = {"blocks": [{"kind": "top", "title": "Now", "rule": {"count": 4}}]}
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
    "list_changes": Row(EVERYBODY),
    "undo_change": Row(EDITORS, {"number": 1}),
    "redo_change": Row(EDITORS, {"number": 1}),
    "restore_change": Row(EDITORS, {"number": 1, "seen": 2}),
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
    "show_settings": Row(EVERYBODY),
    "try_settings": Row(HEADS, {"minimum": 5}),
    "change_settings": Row(HEADS, {"seen": "{settings}", "settings": {"minimum": 5}}),
    "show_blocks": Row(EVERYBODY),
    "try_blocks": Row(HEADS, BLOCKS),
    "change_blocks": Row(HEADS, {"seen": "{blocks}", **BLOCKS}),
    "make_newsletter": Row(HEADS, {"name": "Evening", "publisher": "Us", "sender": "us@example.org"}),
    "list_people": Row(EVERYBODY),
    "list_invitations": Row(EVERYBODY),
    "invite_person": Row(ADMINS, {"email": "new@example.org", "role": "viewer"}),
    "change_role": Row(ADMINS, {"role": "viewer"}),
    "limit_person": Row(ADMINS, {"is_limited": True, "newsletters": []}),
    "close_account": Row(ADMINS),
    "open_account": Row(ADMINS),
    "list_designs": Row(EVERYBODY),
    "show_design": Row(EVERYBODY),
    "check_design": Row(HEADS, {"source": "<mjml></mjml>"}),
    "begin_design": Row(HEADS, {"name": "Ours", "source": "<mjml></mjml>"}),
    "keep_design": Row(HEADS, {"source": "<mjml></mjml>", "seen": 1}),
    "restore_design": Row(HEADS),
    "use_design": Row(HEADS, {"design_id": "{design}", "number": 1}),
    "use_shipped": Row(HEADS),
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
    "show_method": Row(EVERYBODY),
    "change_method": Row(HEADS, {"seen": COUNTING, "counting": COUNTING | {"per_section": 4}, **REASON}),
    "list_sources": Row(EVERYBODY),
    "show_source": Row(EVERYBODY),
    "look_at_site": Row(EDITORS_AT_LARGE, {"url": NOWHERE}, let_in=frozenset({422})),
    "add_source": Row(EDITORS_AT_LARGE, {"url": NOWHERE, **TERMS}, let_in=frozenset({422})),
    "change_source": Row(EDITORS_AT_LARGE, TERMS),
    "open_webhook": Row(EDITORS_AT_LARGE, {"kind": "ghost"}),
    "end_webhook": Row(EDITORS_AT_LARGE),
    "pause_source": Row(EDITORS_AT_LARGE),
    "resume_source": Row(EDITORS_AT_LARGE),
    "look_now": Row(EDITORS_AT_LARGE),
    "end_caution": Row(EDITORS_AT_LARGE),
    "list_brakes": Row(EVERYBODY),
    "pull_brake": Row(EDITORS_AT_LARGE, REASON),
    "release_brake": Row(EDITORS_AT_LARGE),
    "find_reader": Row(EDITORS_AT_LARGE, {"address": "cleo@example.org"}),
    "list_imports": Row(EVERYBODY),
    "show_import": Row(EVERYBODY),
    "receive_import": Row(HEADS, {"file": "{file}", "topic": "weekly", "agreed": "true"}),
    "enter_import": Row(HEADS),
    "stop_import": Row(HEADS),
    "go_on_import": Row(HEADS),
    "export_refusals": Row(HEADS),
    "list_journal": Row(EDITORS_AT_LARGE),
}


def operations() -> list[tuple[str, str, str]]:
    """(name, method, path) of every operation there is."""
    paths = api.get_openapi_schema(path_prefix="")["paths"]
    return [
        (told["operationId"], method.upper(), path) for path, ways in paths.items() for method, told in ways.items()
    ]


def numbers_of(row: Row, morning: Morning) -> dict[str, Any]:
    """Rows that are there, by the names addresses give their numbers."""
    edition = {"ready": morning.ready.id, "leaving": morning.leaving.edition_id}[row.edition]
    return {
        "edition_id": edition,
        "newsletter_id": morning.ready.newsletter_id,
        "article_id": morning.ready.items.filter(picked=True).values_list("article_id", flat=True)[0],
        "hold_id": morning.held.id,
        "post_id": Post.objects.values_list("id", flat=True)[0],
        "account_id": Account.objects.values_list("id", flat=True)[0],
        "source_id": morning.held.article.source_id,
        "pin_id": Pin.objects.values_list("id", flat=True)[0],
        "push_id": 1,
        "design_id": Design.objects.values_list("id", flat=True)[0],
        "number": 1,
        "user_id": User.objects.values_list("id", flat=True).get(email="ben@example.org"),
        "import_id": Import.objects.values_list("id", flat=True).get(is_rehearsal=True),
        "kind": "sending",
    }


def filled(path: str, row: Row, morning: Morning) -> str:
    """An address with numbers of rows that are there."""
    numbers = numbers_of(row, morning)
    return re.sub(r"\{(\w+)\}", lambda found: str(numbers[found[1]]), path)


def seen_of(morning: Morning) -> dict[str, str]:
    """The marks of what is there, by the names bodies give them."""
    row = Newsletter.objects.get(id=morning.ready.newsletter_id)
    return {"{settings}": mark_of(row), "{blocks}": mark_of_blocks(row)}


def body_of(row: Row, morning: Morning) -> dict[str, Any]:
    """What is sent: the revision goes along, whoever does not want it does not read it."""
    alerts = Newsletter.objects.get(kind=Newsletter.Kind.ALERT).id
    file = SimpleUploadedFile("list.csv", b"email\ncleo@example.org\n")
    known = {
        "{alerts}": alerts,
        "{story}": morning.stories[0].id,
        "{file}": file,
        "{design}": Design.objects.get().id,
        **seen_of(morning),
    }
    told = {name: known.get(value, value) if isinstance(value, str) else value for name, value in row.body.items()}
    return {"revision": morning.ready.revision, **told}
