"""What changed, and taking it back, as an editor meets it on the page."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from lxml import html as lxml_html

from pipeline.editions.models import Edition
from tests.desk.editions.conftest import Send, number
from tests.desk.editions.test_placing import order, words
from tests.factories import staff

pytestmark = pytest.mark.django_db


def shown(desk: Client, brief: Edition) -> Any:
    return lxml_html.document_fromstring(desk.get(f"/desk/editions/{brief.id}/").content.decode())


def button(page: Any, verb: str) -> dict[str, str]:
    """The hidden fields of the button of an act."""
    form = page.xpath(f"//form[contains(@action, '{verb}')]")[0]
    return dict(form.form_values()) | {"csrfmiddlewaretoken": ""}


def test_a_change_is_listed_with_what_it_changed_and_taken_back(act: Send, brief: Edition, desk: Client) -> None:
    act("leave-out", article=number("A"))
    act("write", subject="Ours", preheader="Line", note="")
    page = shown(desk, brief)
    told = words(page.xpath("//section[h2[@id='changes']]")[0])
    assert "Ada left out “Story A”" in told
    assert "Place of “Story A” left out as the rules decide" in told
    assert f"Subject Ours {Edition.objects.get().revisions.order_by('number')[1].body['words']['subject']}" in told
    assert "Undo Ada changed the words" in words(page)
    _, page = act("undo-change", **button(page, "undo-change"))
    assert "Taken back: Ada changed the words. Redo brings it back." in words(page)
    act("undo-change", **button(shown(desk, brief), "undo-change"))
    assert order(brief) == "A|BC|D|EFG"
    page = shown(desk, brief)
    assert not page.xpath("//form[contains(@action, 'undo-change')]")
    assert words(page.xpath("//section[h2[@id='changes']]")[0]).count("taken back") == 2
    _, page = act("redo-change", **button(page, "redo-change"))
    assert "Brought back: Ada left out." in words(page)
    assert order(brief) == "B|C|D|EFG"


def test_it_goes_back_to_what_it_was_before_the_first_change(act: Send, brief: Edition, desk: Client) -> None:
    act("leave-out", article=number("A"))
    act("leave-out", article=number("B"))
    page = shown(desk, brief)
    first = page.xpath("//form[contains(@action, 'restore')]")[-1]
    _, page = act("restore", **dict(first.form_values()))
    assert "Undo takes this back." in words(page)
    assert order(brief) == "A|BC|D|EFG"


def test_approved_it_says_why_nothing_is_taken_back(act: Send, brief: Edition, desk: Client) -> None:
    act("leave-out", article=number("A"))
    sent = button(shown(desk, brief), "undo-change")
    act("approve")
    page = shown(desk, brief)
    assert not page.xpath("//form[contains(@action, 'undo-change')]")
    assert "It is approved. Take the approval back above; then changes can be taken back again." in words(page)
    _, page = act("undo-change", **sent)
    assert "can no longer be changed. Nothing was changed: take the approval back first" in words(page)


def test_whoever_may_only_look_sees_what_changed_and_no_button(act: Send, brief: Edition, client: Client) -> None:
    act("leave-out", article=number("A"))
    client.force_login(staff.ben())
    page = shown(client, brief)
    assert "Ada left out “Story A”" in words(page)
    assert not page.xpath("//form[contains(@action, 'undo-change') or contains(@action, 'restore')]")


@pytest.mark.parametrize("verb", ["undo-change", "redo-change", "restore"])
@pytest.mark.parametrize("said", ["", "0", "x", "99999999999999999999"])
def test_a_number_that_is_no_act_changes_nothing(act: Send, brief: Edition, verb: str, said: str) -> None:
    act("leave-out", article=number("A"))
    _, page = act(verb, number=said, seen=said)
    assert "Nothing was changed" in words(page)
    assert order(brief) == "B|C|D|EFG"
