from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from lxml import html as lxml_html

from pipeline.delivery.models import Delivery, Send
from pipeline.desk.editions import results
from pipeline.engagement.keeping import reports
from pipeline.engagement.models import Report
from tests.factories.engagement import NOW

pytestmark = pytest.mark.django_db


def words(node: Any) -> str:
    return " ".join(" ".join(node.itertext()).split())


def shown(desk: Client, morning: Any) -> Any:
    """The page, with the events there are in its report."""
    reports.mark([morning.leaving.origin_id], now=NOW)
    reports.compute(Report.objects.get(origin=morning.leaving.origin).id, now=NOW)
    return lxml_html.document_fromstring(desk.get(f"/desk/editions/{morning.leaving.edition_id}/").content.decode())


def test_every_delivery_is_in_one_count(morning: Any) -> None:
    told = results.progress(morning.leaving)
    assert {row["state"]: row["n"] for row in told["counts"]} == {
        "accepted": 7,
        "pending": 2,
        "refused": 1,
        "unknown": 2,
    }
    assert sum(row["n"] for row in told["counts"]) == told["recipients"] == 12
    assert (told["done"], told["waiting"], told["share"]) == (10, 2, "83.3 %")


def test_every_unknown_is_listed_by_address(desk: Client, morning: Any) -> None:
    unknown = Delivery.objects.filter(state="unknown").values_list("address", flat=True)
    on_page = shown(desk, morning).xpath("//ul[@class='addresses']//span[@class='address']/text()")
    document: Any = lxml_html.document_fromstring(
        desk.get(f"/desk/editions/{morning.leaving.edition_id}/deliveries/?state=unknown").content.decode()
    )
    assert sorted(on_page) == sorted(unknown)
    assert sorted(document.xpath("//tbody//th/text()")) == sorted(unknown)


def fragment(desk: Client, morning: Any, **headers: str) -> Any:
    told = desk.get(f"/desk/editions/{morning.leaving.edition_id}/progress", headers=headers).content.decode()
    assert "<html" not in told
    return lxml_html.fragment_fromstring(told, create_parent="div")


def test_a_send_asks_for_itself_while_it_moves_and_no_longer(desk: Client, morning: Any) -> None:
    moving = fragment(desk, morning).get_element_by_id("progress")
    assert moving.get("hx-get") == f"/desk/editions/{morning.leaving.edition_id}/progress"
    assert (moving.get("hx-trigger"), moving.get("hx-swap")) == ("every 2s", "outerHTML")
    Send.objects.update(state="submitted")
    assert not fragment(desk, morning).xpath("//*[@hx-get]")


def test_what_can_be_done_changes_with_the_send_and_not_while_somebody_types(desk: Client, morning: Any) -> None:
    assert not fragment(desk, morning).xpath("//form")
    Send.objects.update(state="paused", code="paused")
    swapped = fragment(desk, morning).get_element_by_id("send-acts")
    assert swapped.get("hx-swap-oob") == "true"
    assert "Resume: send to the other 2" in words(swapped)
    assert swapped.xpath(".//input[@name='csrfmiddlewaretoken']")


def test_a_page_keeps_its_own_look_of_a_send(desk: Client, morning: Any) -> None:
    page = shown(desk, morning)
    assert len(page.xpath("//*[@id='progress']")) == len(page.xpath("//*[@id='send-acts']")) == 1
    assert any("desk.js" in src for src in page.xpath("//script/@src"))


def test_why_a_send_stands_still_is_told(desk: Client, morning: Any) -> None:
    Send.objects.update(state="paused", code="server_refused", params={"said": "535 credentials"})
    assert "The mail server refused us, so it was paused: “535 credentials”" in words(shown(desk, morning))


def test_what_a_server_said_is_text(desk: Client, morning: Any) -> None:
    Delivery.objects.filter(state="refused").update(reason="<b>no</b>", smtp_code=550)
    told = desk.get(f"/desk/editions/{morning.leaving.edition_id}/deliveries/?state=refused").content.decode()
    assert "550 &lt;b&gt;no&lt;/b&gt;" in told


def test_an_unusual_audience_is_mailed_only_when_its_number_is_typed(desk: Client, morning: Any) -> None:
    send = morning.leaving
    Send.objects.filter(id=send.id).update(state="asking", code="audience_drift", params={"frozen": 12, "expected": 4})
    assert "asks for a yes" in desk.get("/desk/").content.decode()
    address = f"/desk/editions/{send.edition_id}/confirm"
    assert "Type the number of readers" in words(shown(desk, morning).get_element_by_id("results"))
    desk.post(address, {"readers": "4"})
    assert Send.objects.get(id=send.id).state == "asking"
    desk.post(address, {"readers": " 12 "})
    assert Send.objects.get(id=send.id).state == "submitting"


def test_a_cancelled_send_can_go_on_to_the_rest(desk: Client, morning: Any) -> None:
    send = morning.leaving
    desk.post(f"/desk/editions/{send.edition_id}/cancel", {"reason": "wrong picture"})
    assert Send.objects.get(id=send.id).state == "cancelled"
    desk.post(f"/desk/editions/{send.edition_id}/rest")
    assert Send.objects.get(id=send.id).state == "submitting"


def test_those_in_doubt_are_mailed_once_more_only_by_a_person(desk: Client, morning: Any) -> None:
    send = morning.leaving
    Send.objects.filter(id=send.id).update(state="submitted", expires_at=None)
    desk.post(f"/desk/editions/{send.edition_id}/doubts", {"leave": "yes"})
    assert Delivery.objects.filter(send=send, state="unknown").count() == 2
    desk.post(f"/desk/editions/{send.edition_id}/doubts")
    assert not Delivery.objects.filter(send=send, state="unknown").exists()
