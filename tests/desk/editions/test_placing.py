from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html as lxml_html

from pipeline.articles.models import Article
from pipeline.editions.acts import placing
from pipeline.editions.assemble import content_of
from pipeline.editions.compose import compose
from pipeline.editions.models import Edition
from pipeline.staff.models import JournalEntry, User
from tests.desk.editions.conftest import Send, number
from tests.factories import staff

pytestmark = pytest.mark.django_db
VERBS = ["move", "put", "leave-out", "let-rules-decide", "write-story", "take-new", "keep-mine"]


def words(node: Any) -> str:
    return " ".join(" ".join(node.itertext()).split())


def order(brief: Edition) -> str:
    """The letters of the stories in the order they are read, a bar between blocks."""
    brief = Edition.objects.get(id=brief.id)
    blocks = [block for block in content_of(brief).blocks if block.kind != "sponsor"]
    return "|".join("".join(story.headline[-1] for story in block.stories) for block in blocks)


def fields(page: Any, headline: str) -> dict[str, str]:
    """The form of a story's words as a browser would send it back."""
    [form] = page.xpath(
        f"//form[contains(@action, 'write-story')][input[@name='article'][@value='{number(headline)}']]"
    )
    return dict(form.form_values()) | {"csrfmiddlewaretoken": ""}


def test_a_story_moves_down_and_up_and_stays_there(act: Send, brief: Edition) -> None:
    assert order(brief) == "A|BC|D|EFG"
    act("move", article=number("E"), to="down")
    assert order(brief) == "A|BC|D|FEG"
    act("move", article=number("G"), to="up")
    assert order(brief) == "A|BC|D|FGE"
    act("move", article=number("G"), to="up")
    assert order(brief) == "A|BC|D|GFE"
    act("move", article=number("G"), to="down")
    assert order(brief) == "A|BC|D|FGE"


def test_two_placed_by_hand_change_places(act: Send, brief: Edition) -> None:
    for letter in "GFE":
        act("put", article=number(letter), block=4)
    assert order(brief).endswith("GFE")
    act("move", article=number("E"), to="up")
    assert order(brief).endswith("GEF")
    act("move", article=number("G"), to="down")
    assert order(brief).endswith("EGF")


def test_the_page_shows_the_new_order_before_it_is_composed(desk: Client, brief: Edition) -> None:
    desk.post(
        f"/desk/editions/{brief.id}/move", {"revision": brief.revision, "article": number("E"), "to": "down"}
    )  # fmt: skip
    page: Any = lxml_html.document_fromstring(desk.get(f"/desk/editions/{brief.id}/").content.decode())
    assert [words(node)[-1] for node in page.xpath("//div[@id='block-4']//p[@class='head']/a")] == ["F", "E", "G"]
    assert "It is being composed; what was checked before no longer holds." in words(page)
    assert not page.xpath("//form[contains(@action, 'move')]")


def test_the_first_of_a_block_cannot_move_up(act: Send, brief: Edition) -> None:
    _, page = act("move", article=number("E"), to="up")
    assert "first or last of its block already. Nothing was changed." in words(page)
    assert order(brief) == "A|BC|D|EFG"


def test_a_story_is_put_into_another_block_and_the_last_makes_room(act: Send, brief: Edition) -> None:
    _, page = act("put", article=number("F"), block=2)
    assert "Put there by your hand." in words(page)
    assert order(brief) == "A|BF|D|CEG"
    act("put", article=number("H"), block=1)
    assert order(brief) == "H|BF|D|ACE"


def test_a_story_is_dragged_before_another_and_what_a_hand_placed_keeps_its_order(act: Send, brief: Edition) -> None:
    act("put", article=number("G"), block=4, before=number("E"))
    assert order(brief) == "A|BC|D|GEF"
    act("put", article=number("F"), block=4, before=number("G"))
    assert order(brief) == "A|BC|D|FGE"
    act("put", article=number("H"), block=4, before=number("G"), stood="out:")
    assert order(brief) == "A|BC|D|FHG"
    act("put", article=number("F"), block=2, before=number("B"))
    assert order(brief).startswith("A|FB|")
    _, page = act("put", article=number("H"), block=2, before=number("D"))
    assert "is not in that block any more. Nothing was changed" in words(page)


def test_one_that_was_left_out_comes_back_by_rule(act: Send, brief: Edition) -> None:
    _, page = act("leave-out", article=number("A"))
    assert "Left out of this edition; it is a candidate for the next." in words(page)
    assert order(brief) == "B|C|D|EFG"
    act("let-rules-decide", article=number("A"))
    assert order(brief) == "A|BC|D|EFG"


def test_a_form_sent_back_as_it_was_overrides_nothing(act: Send, brief: Edition, desk: Client) -> None:
    page: Any = lxml_html.document_fromstring(desk.get(f"/desk/editions/{brief.id}/").content.decode())
    sent = fields(page, "A")
    Article.objects.filter(headline="Story A").update(headline="Story Z", standfirst="Of late.")
    act("write-story", **sent)
    assert brief.items.get(article_id=int(sent["article"])).overrides == {}


def test_words_of_our_own_stand_beside_the_sites(act: Send, brief: Edition, desk: Client) -> None:
    page: Any = lxml_html.document_fromstring(desk.get(f"/desk/editions/{brief.id}/").content.decode())
    act("write-story", **fields(page, "A") | {"headline": "Ours\r\n now", "alt": "A harbour"})
    item = brief.items.get(article__headline="Story A")
    assert item.overrides == {
        "headline": "Ours now", "picture": "https://pictures.example/A.jpg", "alt": "A harbour",
    }  # fmt: skip
    page = lxml_html.document_fromstring(desk.get(f"/desk/editions/{brief.id}/").content.decode())
    told = words(page.xpath(f"//li[@id='story-{item.article_id}']")[0])
    assert "Ours now" in told and "Ours. The site says: “Story A”" in told


def test_what_the_site_changed_is_shown_and_taken_or_not(act: Send, brief: Edition, desk: Client) -> None:
    known = {"article": number("A"), "site_headline": "Story A", "site_standfirst": "About A."}
    both = {"headline": "Ours", "standfirst": "Our words."}
    act("write-story", **known, **both)
    Article.objects.filter(headline="Story A").update(headline="Story A, corrected")
    url = f"/desk/editions/{brief.id}/"
    told = words(lxml_html.document_fromstring(desk.get(url).content.decode()))
    assert (
        "The site changed since. Our headline Ours Its headline then Story A Its headline now Story A, corrected"
        in told
    )
    _, page = act("keep-mine", article=known["article"])
    assert "The site changed since." not in words(page)
    Article.objects.filter(headline="Story A, corrected").update(headline="Story A, again")
    act("take-new", article=known["article"])
    item = brief.items.get(article_id=known["article"])
    assert item.overrides == {"standfirst": "Our words."}, "only what the site changed is taken"


@pytest.mark.parametrize(
    ("field", "value", "told"), [("picture", "javascript:alert(1)", "begins with https://"), ("headline", "x" * 301, "300")]
)  # fmt: skip
def test_words_that_cannot_be_kept_are_shown_again(
    act: Send, brief: Edition, field: str, value: str, told: str
) -> None:
    status, page = act("write-story", article=number("A"), standfirst="My own line", **{field: value})
    assert status == 400 and told in words(page)
    [standfirst] = page.xpath(f"//textarea[@id='standfirst-{number('A')}']")
    assert standfirst.value == "My own line"
    assert standfirst.xpath("ancestor::details/@open")
    assert not JournalEntry.objects.exists()


def test_words_that_come_too_late_are_shown_to_copy(desk: Client, brief: Edition) -> None:
    Edition.objects.filter(id=brief.id).update(state="approved", leaves_at=timezone.now())
    answer = desk.post(
        f"/desk/editions/{brief.id}/write-story",
        {"revision": brief.revision, "article": number("A"), "headline": "My own line"},
    )
    told = words(lxml_html.document_fromstring(answer.content.decode()))
    assert answer.status_code == 409
    assert "can no longer be changed" in told and "What you wrote, to copy: My own line" in told


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("revision", ["0", "", "x", "99999999999999999999"])
def test_nobody_changes_what_they_have_not_seen(act: Send, brief: Edition, verb: str, revision: str) -> None:
    _, page = act(verb, revision=revision, article=number("E"), block=2, to="down", headline="Mine")
    assert "Someone changed this edition while you were reading it" in words(page)
    assert not JournalEntry.objects.exists()


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("article", ["", "x", "999999", "99999999999999999999", "²"])
def test_an_act_on_no_story_changes_nothing(act: Send, brief: Edition, verb: str, article: str) -> None:
    before = order(brief)
    status, _ = act(verb, article=article, block=2, to="down")
    assert status in {200, 409}
    assert order(brief) == before


@pytest.mark.parametrize("block", ["", "9", "5", "-1"])
def test_a_block_that_takes_no_stories_is_refused(act: Send, brief: Edition, block: str) -> None:
    _, page = act("put", article=number("H"), block=block)
    assert "That block takes no stories. Nothing was changed." in words(page)


@pytest.mark.parametrize("verb", VERBS)
def test_who_may_only_look_moves_nothing(client: Client, brief: Edition, verb: str) -> None:
    client.force_login(staff.ben())
    data = {"revision": brief.revision, "article": number("E"), "block": 2, "to": "down", "headline": "Mine"}
    told = client.post(f"/desk/editions/{brief.id}/{verb}", data, follow=True).content.decode()
    assert "ask a desk head" in told
    assert not JournalEntry.objects.exists()
    assert Edition.objects.get(id=brief.id).revision == brief.revision


@pytest.mark.parametrize("verb", VERBS)
def test_a_form_without_its_token_moves_nothing(ada: User, brief: Edition, verb: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    assert strict.post(f"/desk/editions/{brief.id}/{verb}").status_code == 403


def test_a_held_story_says_to_release_it_first(act: Send, brief: Edition) -> None:
    Article.objects.filter(headline="Story H").update(state="held")
    _, page = act("put", article=number("H"), block=2)
    assert "That story is held. Release it first; nothing was changed." in words(page)


def test_the_history_names_the_story(act: Send, brief: Edition, desk: Client) -> None:
    act("leave-out", article=number("A"))
    page: Any = lxml_html.document_fromstring(desk.get(f"/desk/editions/{brief.id}/").content.decode())
    assert "Ada left out “Story A”" in words(page.xpath("//section[h2[@id='history']]")[0])


def test_a_hand_on_an_edition_that_still_collects_is_heeded(brief: Edition, ada: User) -> None:
    Edition.objects.filter(id=brief.id).update(state="collecting", code="below_minimum")
    placing.leave_out(
        edition_id=brief.id, revision=brief.revision, actor=ada, article_id=number("A"), now=timezone.now()
    )  # fmt: skip
    compose(edition_id=brief.id, now=timezone.now())
    assert order(brief) == "B|C|D|EFG"
