"""Signing up: one answer for every address, and a word on what to correct."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.client import MULTIPART_CONTENT
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from lxml import html

from pipeline.audience.joining import limits, seals
from pipeline.audience.models import Confirmation, Consent, Subscriber, Suppression, Topic
from pipeline.audience.suppress import suppress
from pipeline.public.readers import join
from tests.factories import audience

pytestmark = pytest.mark.django_db
KNOWN = ("stranger", "pending", "active", "left", "bounced")


@pytest.fixture(autouse=True)
def brief(db: None) -> Topic:
    return audience.topic()


def seal(*, age_s: float = 9) -> str:
    return seals.shown(now=timezone.now() - timedelta(seconds=age_s))


def form(**said: Any) -> dict[str, Any]:
    return {"address": "cleo@example.org", "topics": ["morning-brief"], "language": "en", "seal": seal(), **said}


def text(answer: Any) -> str:
    return " ".join(" ".join(html.fromstring(answer.content).itertext()).split())


def known_as(state: str) -> None:
    if state == "pending":
        audience.subscriber(state="pending")
    elif state != "stranger":
        audience.cleo(follows=audience.topic())
    if state == "left":
        suppress(address="cleo@example.org", reason=Suppression.Reason.LEFT_ALL, now=timezone.now())
    if state == "bounced":
        suppress(address="cleo@example.org", reason=Suppression.Reason.BOUNCED, now=timezone.now())


def test_signing_up_leaves_a_letter_to_write_and_the_words_agreed_to(site: Client) -> None:
    answer = site.post("/join/", form(), HTTP_REFERER="https://gazette.example/news?x=1")
    assert answer.status_code == 200
    assert "Look into your mailbox" in text(answer)
    assert Confirmation.objects.get().form == "page"
    kept = Consent.objects.get()
    assert kept.origin == "https://gazette.example/news"
    assert kept.network == "127.0.0.0/24"
    assert kept.wording.startswith("I want Dateline to send me")
    assert kept.wording_version.startswith("en-")


def test_nothing_in_the_answer_tells_whether_an_address_is_known(site: Client) -> None:
    answers = set()
    for state in KNOWN:
        Subscriber.objects.all().delete()
        Suppression.objects.all().delete()
        known_as(state)
        for _ in range(5):  # the fifth letter of a day is not written, and nobody is told
            answer = site.post("/join/", form())
            answers.add((answer.status_code, answer.content, tuple(sorted(answer.headers))))
    assert len(answers) == 1


def test_the_script_door_tells_no_more(site: Client) -> None:
    answers = set()
    for state in KNOWN:
        Subscriber.objects.all().delete()
        Suppression.objects.all().delete()
        known_as(state)
        said = {"address": "cleo@example.org", "topics": ["morning-brief"]}
        answer = site.post("/api/join", said, content_type="application/json")
        answers.add((answer.status_code, answer.content))
    assert len(answers) == 1
    assert answers.pop()[0] == 202


@pytest.mark.parametrize("path", ["/join/", "/api/join"])
def test_as_many_statements_are_run_for_every_address(site: Client, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_BARE", 100)
    counts = set()
    for state in KNOWN:
        Subscriber.objects.all().delete()
        Suppression.objects.all().delete()
        known_as(state)
        for number in range(5):
            said: Any = form() if path == "/join/" else json.dumps(form())
            kind = MULTIPART_CONTENT if path == "/join/" else "application/json"
            with CaptureQueriesContext(connection) as asked:
                assert site.post(path, said, content_type=kind).status_code < 300
            counts.add(len(asked))
            if number % 2:  # the letter is written, so that another may be asked for
                Confirmation.objects.update(sent_at=timezone.now())
    assert len(counts) == 1, counts


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"address": "cleo"}, "not a mail address"),
        ({"address": "kl o@example.org"}, "not a mail address"),
        ({"address": "abuse@example.org"}, "belongs to a function"),
        ({"address": "cleo@mailinator.com"}, "Addresses at mailinator.com"),
        ({"topics": []}, "Nothing is ticked"),
        ({"topics": ["absent"]}, "Nothing is ticked"),
        ({"seal": "now"}, "faster than most people type"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(site: Client, said: dict[str, Any], words: str) -> None:
    said = {**said, "seal": seal(age_s=0)} if said.get("seal") else said
    answer = site.post("/join/", form(**said))
    assert answer.status_code == 422
    assert words in text(answer)
    [field] = html.fromstring(answer.content).xpath("//input[@id='address']")
    assert field.get("value") == form(**said)["address"]
    assert Subscriber.objects.count() == 0


def test_whoever_fills_the_field_nobody_sees_is_thanked_and_forgotten(site: Client) -> None:
    honest = site.post("/join/", form())
    Subscriber.objects.all().delete()
    trapped = site.post("/join/", form(**{join.TRAP: "https://spam.example"}))
    assert (trapped.status_code, trapped.content) == (200, honest.content)
    assert Subscriber.objects.count() == 0


def test_a_network_that_asks_too_often_is_told_so(site: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_BARE", 2)
    answers = [site.post("/join/", form(seal="")) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "try again in an hour" in text(answers[2])
    said = {"address": "dan@example.org", "topics": ["morning-brief"]}
    late = site.post("/api/join", said, content_type="application/json")
    assert (late.status_code, late.headers["Retry-After"], late.json()["code"]) == (429, "3600", "busy")
    assert site.post("/join/", form()).status_code == 200, "a form somebody looked at has a measure of its own"


def test_a_topic_that_is_not_offered_cannot_be_joined(site: Client, brief: Topic) -> None:
    Topic.objects.update(is_offered=False)
    assert site.post("/join/", form()).status_code == 422
    assert "No newsletter can be joined" in text(site.get("/join/"))


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("fr", "ltr"), ("ar", "rtl"), ("ur", "rtl")])
def test_the_page_speaks_the_readers_language(site: Client, language: str, direction: str) -> None:
    page = html.fromstring(site.get("/join/", HTTP_ACCEPT_LANGUAGE=language).content)
    assert (page.get("lang"), page.get("dir")) == (language, direction)


def test_only_the_frame_may_stand_on_other_pages(site: Client) -> None:
    page, frame = site.get("/join/"), site.get("/join/frame/")
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'self'" in page.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in frame.headers
    assert "frame-ancestors *" in frame.headers["Content-Security-Policy"]


def test_the_snippet_is_a_form_that_works_without_script_or_cookie(site: Client) -> None:
    snippet = site.get("/join/snippet.txt").content.decode()
    assert "<script" not in snippet
    [form_] = html.fromstring(f"<div>{snippet}</div>").xpath("//form")
    fields = dict(form_.form_values()) | {"address": "cleo@example.org"}
    assert site.post("/join/", fields).status_code == 200
    assert Confirmation.objects.get().form == "site"
    assert re.search(r'<iframe src="[^"]+/join/frame/"', snippet)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"\xff", b"{}" * 5000, b"[" * 4000])
def test_the_script_door_survives_any_body(site: Client, body: bytes) -> None:
    answer = site.generic("POST", "/api/join", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable")


def test_the_script_door_is_open_to_every_origin_without_credentials(site: Client) -> None:
    answer = site.options("/api/join", HTTP_ORIGIN="https://gazette.example")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    wrong = site.post("/api/join", {"address": 7, "topics": "x"}, content_type="application/json")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "address")
    assert site.get("/api/join").status_code == 405
