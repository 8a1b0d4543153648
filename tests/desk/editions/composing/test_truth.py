"""The letter as it will be: as what, as whose, and in figures."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html as lxml_html

from pipeline.audience.models import Segment, Subscription, Topic
from pipeline.desk.editions.composing import truth
from pipeline.editions.models import Edition, Newsletter, Rendering
from tests.desk.editions.test_placing import words
from tests.factories import audience, staff

pytestmark = pytest.mark.django_db


def shown(desk: Client, brief: Edition, query: str = "") -> Any:
    return lxml_html.document_fromstring(desk.get(f"/desk/editions/{brief.id}/{query}").content.decode())


def message(desk: Client, brief: Edition, query: str) -> Any:
    return desk.get(f"/desk/editions/{brief.id}/message.html{query}")


def follow(address: str, *slugs: str) -> None:
    reader = audience.subscriber(address=address, follows=Topic.objects.get(slug=slugs[0]))
    for slug in slugs[1:]:
        Subscription.objects.create(subscriber=reader, topic=Topic.objects.get(slug=slug), since=timezone.now())


def test_with_images_off_no_picture_is_allowed(desk: Client, brief: Edition) -> None:
    policy = message(desk, brief, "?images=off").headers["Content-Security-Policy"]
    assert "img-src 'none'" in policy
    assert "img-src data: https://pictures.example" in message(desk, brief, "").headers["Content-Security-Policy"]


def test_right_to_left_is_made_by_the_design_and_keeps_nothing(desk: Client, brief: Edition) -> None:
    before = Rendering.objects.values().get()
    told = message(desk, brief, "?dir=rtl").content.decode()
    assert 'dir="rtl"' in told and "Story A" in told and "[[dl:" not in told
    assert 'dir="rtl"' not in message(desk, brief, "").content.decode()
    assert Rendering.objects.values().get() == before


def test_each_switch_keeps_the_others(desk: Client, brief: Edition) -> None:
    page = shown(desk, brief, "?follows=trade&images=off")
    links = dict(
        zip(
            page.xpath("//nav[contains(@class, 'switches')]//a/text()"),
            page.xpath("//nav[contains(@class, 'switches')]//a/@href"),
            strict=True,
        )
    )
    base = f"/desk/editions/{brief.id}/"
    assert links == {
        "Images off": f"{base}?follows=trade#look", "Right to left": f"{base}?follows=trade&images=off&dir=rtl#look"
    }  # fmt: skip
    assert f"{base}message.html?follows=trade&images=off&scheme=dark" in page.xpath("//iframe/@src")


def test_a_newsletter_that_runs_right_to_left_has_no_such_switch(desk: Client, brief: Edition) -> None:
    Newsletter.objects.update(masthead=brief.newsletter.masthead | {"direction": "rtl"})
    assert "Right to left" not in words(shown(desk, brief))


def test_a_readers_letter_by_their_address(desk: Client, brief: Edition) -> None:
    follow("cleo@example.org", brief.newsletter.topic.slug, "trade")
    page = shown(desk, brief, "?as=Cleo%40example.org")
    assert "cleo@example.org follows trade of its topics." in words(page)
    assert f"/desk/editions/{brief.id}/message.html?follows=trade&scheme=light" in page.xpath("//iframe/@src")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?as=nobody%40example.org", "No reader has the address nobody@example.org."),
        ("?as=dan%40example.org", "dan@example.org does not follow Morning Brief, so gets no letter of it."),
        ("?segment=999999", "There is no such segment."),
        ("?segment=99999999999999999999999", "There is no such segment."),
    ],
)
def test_whoever_gets_no_letter_is_said_to_get_none(desk: Client, brief: Edition, query: str, said: str) -> None:
    follow("dan@example.org", "africa")
    assert said in words(shown(desk, brief, query))


def test_one_of_a_segment_who_gets_this_newsletter(desk: Client, brief: Edition) -> None:
    rule = {"follows": "africa"}
    segment = Segment.objects.create(slug="africans", name="Africans", rule=rule, created_at=timezone.now())
    follow("dan@example.org", "africa")
    assert "Nobody of Africans gets this newsletter now." in words(shown(desk, brief, f"?segment={segment.id}"))
    follow("eve@example.org", brief.newsletter.topic.slug, "africa")
    assert "eve@example.org follows africa of its topics." in words(shown(desk, brief, f"?segment={segment.id}"))
    Segment.objects.update(rule={"nonsense": 1})
    assert "The rule of Africans cannot be read." in words(shown(desk, brief, f"?segment={segment.id}"))


def test_where_everybody_gets_the_same_it_says_so(desk: Client, brief: Edition) -> None:
    Newsletter.objects.update(reader_choice="all")
    follow("cleo@example.org", brief.newsletter.topic.slug)
    assert "cleo@example.org gets the letter as everybody does." in words(shown(desk, brief, "?as=cleo%40example.org"))


def test_who_may_only_look_is_not_told_which_addresses_are_readers(client: Client, brief: Edition) -> None:
    follow("cleo@example.org", brief.newsletter.topic.slug)
    client.force_login(staff.ben())
    page = shown(client, brief, "?as=cleo%40example.org")
    assert "cleo@example.org" not in words(page) and not page.xpath("//input[@id='as-address']")


def told(brief: Edition) -> dict[str, tuple[str, str]]:
    row = Edition.objects.select_related("rendering", "newsletter").get(id=brief.id)
    return {meter["name"]: (meter["said"], meter["tone"]) for meter in truth.meters(row, zone="UTC")}


def test_the_meters_tell_what_works(brief: Edition) -> None:
    found = told(brief)
    assert list(found) == ["Links", "Pictures", "Contrast", "Reading time", "Subject"]
    assert found["Links"][1] == "waiting" and "being asked" in found["Links"][0]
    assert found["Contrast"] == ("every text stands out, light and dark", "done")
    assert found["Subject"] == ("7 characters; phones show all of it", "done")


def test_the_meters_tell_what_does_not(brief: Edition) -> None:
    codes = ["dead_link", "picture_without_words", "low_contrast"]
    Edition.objects.update(preflight=[{"code": code, "level": "note"} for code in codes], subject="x" * 80)
    images = '<img src="a" alt="A harbour"><img src="b" alt=""><img src="c" width="1" height="1" alt="">'
    Rendering.objects.update(html=images, asked_at=timezone.now(), text="One two https://x.example three " * 238)
    found = told(brief)
    assert found["Links"][0].startswith("1 story leads to nothing that answers, asked ")
    assert found["Pictures"] == ("1 of 2 say in words what they show", "needs")
    assert found["Contrast"][1] == "needs"
    assert found["Reading time"][0] == "about 3 min, 714 words"
    assert found["Subject"] == ("80 characters; more than 70 are cut nearly everywhere", "needs")


def test_the_lines_are_cut_where_inboxes_cut_them(desk: Client, brief: Edition) -> None:
    lines = {line["name"]: line for line in truth.inboxes("s" * 100, "p" * 100)}
    assert [len(line["subject"]) for line in lines.values()] == [28, 46, 70]
    assert [len(line["preheader"]) for line in lines.values()] == [0, 46, 60]
    assert truth.inboxes("Short", "")[0]["subject"] == "Short"
