"""The confirmation link: a look changes nothing, a POST confirms once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from pipeline.audience.joining import confirming
from pipeline.audience.joining.asking import Wish, ask_to_join
from pipeline.audience.models import Confirmation
from tests.factories import audience

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(db: None) -> str:
    wish = Wish("cleo@example.org", (audience.topic().id,), "page", "o", "n", "fr", "w", "v")
    made = ask_to_join(wish, now=timezone.now())
    assert made is not None
    letter = confirming.take(confirmation_id=made.id, now=timezone.now())
    assert letter is not None
    return letter.token


def readers() -> int:
    return audience.reach(topic_id=audience.topic().id)


def test_a_look_changes_nothing_and_a_post_confirms(site: Client, token: str) -> None:
    for method in (site.get, site.head, site.get):
        assert method(f"/confirm/{token}").status_code == 200
    assert readers() == 0
    done = site.post(f"/confirm/{token}")
    page = html.fromstring(done.content)
    assert (done.status_code, page.get("lang"), readers()) == (200, "fr", 1)
    [door] = page.xpath("//a/@href")
    assert site.get(door).status_code == 200


def test_a_second_post_says_that_it_was_used_and_gives_no_door(site: Client, token: str) -> None:
    site.post(f"/confirm/{token}")
    again = site.post(f"/confirm/{token}")
    assert again.status_code == 200
    assert "Déjà confirmé" in again.content.decode()
    assert html.fromstring(again.content).xpath("//a[contains(@href, '/p/')]") == []


def test_an_old_link_says_what_to_do(site: Client, token: str) -> None:
    Confirmation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = site.post(f"/confirm/{token}")
    assert (answer.status_code, readers()) == (410, 0)
    assert html.fromstring(answer.content).xpath("//a[starts-with(@href, '/join/')]")


@pytest.mark.parametrize("wrong", ["x", "A" * 22, "é", "A" * 900])
def test_a_link_that_is_not_ours_is_a_page_and_does_nothing(db: None, site: Client, wrong: str) -> None:
    assert [site.get(f"/confirm/{wrong}").status_code, site.post(f"/confirm/{wrong}").status_code] == [404, 404]
