from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html as lxml_html

from pipeline.desk.editions import problems
from pipeline.editions.compose import compose
from pipeline.editions.findings import words as remedies
from pipeline.editions.models import Edition, Newsletter, Rendering
from tests.desk.editions.conftest import Send, number

pytestmark = pytest.mark.django_db
PARTS = {"sentence": "This.", "level": "note", "fix": "take_out", "code": "one_event", "params": {}}


def shown(desk: Client, brief: Edition) -> Any:
    return lxml_html.document_fromstring(desk.get(f"/desk/editions/{brief.id}/").content.decode())


def words(node: Any) -> str:
    return " ".join(" ".join(node.itertext()).split())


def jump(desk: Client, brief: Edition, where: str, **more: Any) -> list[str]:
    """Where the link beside a finding leads; it must lead to something that is there."""
    Edition.objects.filter(id=brief.id).update(preflight=[{**PARTS, "where": where, **more}])
    page = shown(desk, brief)
    links = page.xpath("//ul[contains(@class, 'checks')]//a/@href")
    assert all(page.xpath(f"//*[@id='{link[1:]}']") for link in links)
    return list(links)


def test_a_place_counts_the_blocks_of_the_content(desk: Client, brief: Edition, act: Send) -> None:
    assert jump(desk, brief, "story/2/2") == [f"#story-{number('C')}"]
    Edition.objects.filter(id=brief.id).update(note="Good morning.")
    assert jump(desk, brief, "story/3/2") == [f"#story-{number('C')}"], "the note is the first block of the content"
    assert jump(desk, brief, "block/1") == ["#note"]
    brief.items.filter(block__position__in=[2, 3]).update(picked=False)
    assert jump(desk, brief, "story/3/1") == [f"#story-{number('E')}"], "an empty block is none"
    assert jump(desk, brief, "story/4/1") == ["#block-5"]


@pytest.mark.parametrize(
    ("where", "to"), [("subject", "subject"), ("preheader", "preheader"), ("blocks", "items"), ("html", "look")]
)
def test_a_place_beside_the_stories_is_led_to(desk: Client, brief: Edition, where: str, to: str) -> None:
    assert jump(desk, brief, where) == [f"#{to}"]


@pytest.mark.parametrize("where", ["design", "design:12", "footer", "masthead", "story/9/9", "story/x", ""])
def test_a_place_that_is_not_on_the_page_is_no_link(desk: Client, brief: Edition, where: str) -> None:
    assert jump(desk, brief, where) == []


def test_an_empty_block_is_found_by_its_title(desk: Client, brief: Edition) -> None:
    brief.items.filter(block__position=3).update(picked=False)
    assert jump(desk, brief, "blocks", code="short_block", params={"block": "Trade"}) == ["#block-3"]


def test_every_remedy_has_its_words() -> None:
    assert set(remedies._FIXES.values()) == set(problems.FIXES) | set(problems.ELSEWHERE)


def test_the_size_is_that_of_the_largest_letter(desk: Client, brief: Edition) -> None:
    Rendering.objects.filter(edition=brief).update(largest_bytes=51_400)
    told = words(shown(desk, brief).xpath("//section[h2[@id='look']]")[0])
    assert "Size 51 KB of 100" in told
    assert "The largest letter a reader can get, with every block. Amber from 85 KB" in told
    Newsletter.objects.update(reader_choice="all")
    assert "The largest letter" not in words(shown(desk, brief))


def test_a_design_that_cannot_be_used_shows_the_line(desk: Client, brief: Edition) -> None:
    own = "<mjml>\n<mj-body>\n<mj-section><mj-colum></mj-colum></mj-section>\n</mj-body></mjml>"
    Newsletter.objects.update(own_design=own)
    assert compose(edition_id=brief.id, now=timezone.now()) == "held"
    told = words(shown(desk, brief).xpath("//section[h2[@id='state']]")[0])
    assert "Line 3: <mj-section><mj-colum></mj-colum></mj-section>" in told
    assert "What you can do: Correct the newsletter’s design, then press “Keep and compose again”" in told


def test_one_that_asks_says_what_can_be_done(desk: Client, brief: Edition) -> None:
    params = {"block": "Trade", "found": 1, "minimum": 2}
    Edition.objects.filter(id=brief.id).update(state="held", code="asks_short_block", params=params)
    page = shown(desk, brief)
    [stand] = page.xpath("//section[h2[@id='state']]")
    assert "Trade has 1 of at least 2 stories." in words(stand)
    assert stand.xpath("./p/a/@href") == ["#block-3", "#left"]
    assert page.xpath("//form[contains(@action, 'approve')]")


def test_how_it_is_put_together_is_said_in_words(desk: Client, brief: Edition) -> None:
    Newsletter.objects.update(below_minimum="fill", created_at=timezone.now())
    told = words(shown(desk, brief).xpath("//details[@class='made']")[0])
    assert "At least 3 stories; with fewer, evergreens and then what readers liked make up the number." in told
    assert "The first edition reaches back 24 h, to" in told and "nothing older is taken." in told
    assert "Blocks of topics a reader follows come first for them." in told
