"""Leaving by RFC 8058, by a page, and coming back; and a scanner that changes nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import serializers
from django.test import Client
from django.utils import timezone
from lxml import html

from pipeline.audience.models import Confirmation, Consent, Subscriber, Subscription, Suppression
from pipeline.audience.suppress import suppress
from pipeline.delivery.message import mail as messages
from pipeline.editions.models import Edition
from pipeline.kernel.config import config
from tests.public.readers.conftest import Mail, mail, site, uncounted

__all__ = ["mail", "site", "uncounted"]
pytestmark = pytest.mark.django_db
ONE_CLICK = "List-Unsubscribe=One-Click"
BOUNDARY = "b0und"
MULTIPART = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--{BOUNDARY}--\r\n'
)


def live() -> set[str]:
    return set(Subscription.objects.filter(left_at=None).values_list("topic__slug", flat=True))


def one_click(site: Client, token: str, *, multipart: bool = False) -> Any:
    kind = f"multipart/form-data; boundary={BOUNDARY}" if multipart else "application/x-www-form-urlencoded"
    return site.generic("POST", f"/u/{token}", MULTIPART if multipart else ONE_CLICK, content_type=kind)


@pytest.mark.parametrize("multipart", [False, True])
def test_one_click_leaves_one_newsletter_at_once_without_cookie_or_redirect(
    site: Client, mail: Mail, multipart: bool
) -> None:
    answers = [one_click(site, mail.token, multipart=multipart) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert not any(answer.cookies or "Location" in answer.headers for answer in answers)
    assert live() == {"weekly"}
    assert list(Consent.objects.values_list("act", "origin")) == [("left", "one-click")]


def test_the_button_a_person_presses_is_told_apart(site: Client, mail: Mail) -> None:
    site.post(f"/u/{mail.token}")
    assert Consent.objects.get().origin == "page"


def test_a_replay_after_coming_back_is_the_readers_word_again(site: Client, mail: Mail) -> None:
    one_click(site, mail.token)
    assert site.post(f"/u/{mail.token}/back").status_code == 200
    assert live() == {"morning-brief", "weekly"}
    one_click(site, mail.token)
    assert live() == {"weekly"}


def test_leaving_everything_holds_and_the_way_back_restores_it(site: Client, mail: Mail) -> None:
    site.post(f"/p/{mail.token}/leave")
    site.post(f"/p/{mail.token}/leave")
    assert (live(), Suppression.objects.get().reason) == (set(), "left_all")
    back = site.post(f"/u/{mail.token}/back", {"all": "1"})
    assert "Morning Brief, The Week" in back.content.decode()
    assert (live(), Suppression.objects.count()) == ({"morning-brief", "weekly"}, 0)


def test_nobody_comes_back_to_an_address_that_reported_us(site: Client, mail: Mail) -> None:
    one_click(site, mail.token)
    suppress(address=mail.reader.address, reason=Suppression.Reason.COMPLAINED, now=timezone.now())
    answer = site.post(f"/u/{mail.token}/back")
    assert "We cannot send it" in answer.content.decode()
    assert live() == {"weekly"}


@pytest.mark.parametrize("path", ["/u/{}", "/u/{}/back", "/p/{}/leave", "/p/{}"])
def test_a_token_that_is_not_ours_does_nothing(site: Client, mail: Mail, path: str) -> None:
    forged = mail.token[:5] + ("A" if mail.token[5] != "A" else "B") + mail.token[6:]
    for token in (forged, "x", "A" * 26, "A" * 24):
        assert site.post(path.format(token)).status_code in (200, 404)
    assert live() == {"morning-brief", "weekly"}


def test_why_tells_when_where_and_in_which_words(site: Client, mail: Mail) -> None:
    Consent.objects.create(
        subscriber=mail.reader, topic=mail.topic, at=datetime(2026, 3, 3, 10, 12, tzinfo=UTC), act="asked", origin="https://gazette.example/", wording="I want <it>.", wording_version="en-1",
        network="192.0.2.0/24", form="page",
    )  # fmt: skip
    told = " ".join(html.fromstring(site.get(f"/w/{mail.token}").content).text_content().split())
    assert "3 March 2026, 10:12 UTC" in told
    for fact in ("somebody asked for it", "https://gazette.example/", "Form: page", "192.0.2.0/24", "“I want <it>.”"):
        assert fact in told


def doors(mail: Mail) -> set[str]:
    """Every address in the whole mail that is our site's, header included."""
    edition = Edition.objects.select_related("rendering", "newsletter", "send").get()
    compose = messages.composer(edition, config=config(), now=timezone.now())
    parsed = messages_of(compose(mail.delivery.ordinal, mail.delivery.address)[1])
    found = {unescape(url) for text in parsed for url in re.findall(r'https?://[^\s"<>]+', text)}
    return {urlsplit(url).path for url in found if url.startswith(config().site_url)}


def messages_of(raw: bytes) -> list[str]:
    parsed = message_from_bytes(raw, policy=policy.default)
    return [str(parsed["List-Unsubscribe"]), *(part.get_content() for part in parsed.walk() if not part.is_multipart())]


def everything() -> str:
    rows = [
        row for model in (Subscriber, Subscription, Suppression, Consent, Confirmation) for row in model.objects.all()
    ]
    return serializers.serialize("json", rows)


def test_a_scanner_that_opens_every_link_twice_and_mangled_changes_nothing(site: Client, mail: Mail) -> None:
    paths, before = doors(mail), everything()
    assert {path.split("/")[1] for path in paths} >= {"u", "p", "v", "w"}
    seen = set()
    for path in sorted(paths):
        token = path.rpartition("/")[2]
        mangled = (path, path, f"{path}.", f"{path}'", f"{path})", path[:-3], path.replace(token, token.upper()), f"{path}/back", f"{path}/leave")  # fmt: skip
        for address in mangled:
            for method in (site.get, site.head, site.options):
                seen.add(method(address, HTTP_USER_AGENT="Barracuda").status_code)
        pages = html.fromstring(site.get(path).content)
        for link in pages.xpath("//a/@href"):
            if link.startswith("/"):
                seen.add(site.get(link).status_code)
    assert everything() == before
    assert max(seen) < 500
