from __future__ import annotations

import csv
import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from lxml import html as lxml_html

from pipeline.articles.models import Bulletin
from pipeline.audience.models import Subscription
from pipeline.delivery.models import Delivery, Send
from pipeline.desk.results import places
from pipeline.editions.models import Item
from pipeline.engagement.keeping import reports
from pipeline.engagement.models import Horizon, Link, Reading, Report, Tally
from pipeline.posts.models import Post
from pipeline.staff.journal import note
from tests.factories import engagement, posts
from tests.factories.engagement import NOW

pytestmark = pytest.mark.django_db


def words(node: Any) -> str:
    return " ".join(" ".join(node.itertext()).split())


def address(morning: Any, end: str = "results/") -> str:
    return f"/desk/editions/{morning.leaving.edition_id}/{end}"


def counted(morning: Any) -> None:
    reports.mark([morning.leaving.origin_id], now=NOW)
    reports.compute(Report.objects.get(origin=morning.leaving.origin).id, now=NOW)


def shown(desk: Client, morning: Any) -> Any:
    """The page, with the events there are in its report."""
    counted(morning)
    return lxml_html.document_fromstring(desk.get(address(morning)).content.decode())


def clicked(morning: Any, slot: str, people: int, *, first: int = 1, **fields: Any) -> Link:
    link = Link.objects.get(origin=morning.leaving.origin, slot=slot)
    for ordinal in range(first, first + people):
        engagement.event(
            origin=morning.leaving.origin, ordinal=ordinal, link=link.number, article=link.article, **fields
        )
    return link


def test_people_stand_apart_from_machines_with_the_rule(desk: Client, morning: Any) -> None:
    origin = morning.leaving.origin
    clicked(morning, "lead/1", 2)
    engagement.event(origin=origin, ordinal=3, kind="open")
    for _ in range(4):
        engagement.event(origin=origin, ordinal=5, verdict="scanner", rules=["R5"])
    engagement.event(origin=origin, ordinal=6, verdict="pending")
    engagement.event(origin=origin, ordinal=7, kind="open", verdict="prefetch", rules=["MPP"])
    main = words(shown(desk, morning).get_element_by_id("main"))
    assert "So far 7 delivered (58.3 %). Human clickers 2 (28.6 %)" in main
    assert (
        "Opens, not reliable: 1 people (14.3 %) by pictures that were fetched; 50.0 % of 2 fetches were Apple Mail’s own"
        in main
    )
    assert "4 clicks It came from a network that only scans mail. R5" in main
    assert "1 by Apple Mail by itself, whether or not anyone read" in main
    assert "1 events are too fresh to be judged" in main
    assert "stand in “delivered” and nowhere else" in main


def test_what_came_after_its_day_was_removed_stands_among_what_was_not_counted(desk: Client, morning: Any) -> None:
    clicked(morning, "lead/1", 2)
    counted(morning)
    day = int((NOW - timedelta(days=31)).timestamp()) // 86_400
    reports.add_late([{"origin_id": morning.leaving.origin_id, "day": day, "kind": "click", "n": 3}])
    Horizon.objects.create(minute=(day + 1) * 1440)
    why = "It arrived after its day was closed or removed"
    assert f"3 clicks {why}" in words(shown(desk, morning).get_element_by_id("main"))
    [told] = json.loads(desk.get(address(morning, "results.json")).content)["not_counted"]
    assert (told["kind"], told["rule"], told["events"], told["why"].startswith(why)) == ("click", "LATE", 3, True)


def test_the_editions_own_page_says_the_same_sentence(desk: Client, morning: Any) -> None:
    clicked(morning, "lead/1", 2)
    counted(morning)
    own = lxml_html.document_fromstring(desk.get(address(morning, "")).content.decode())
    assert "Human clickers 2 (28.6 %)" in words(own.get_element_by_id("results"))


def test_a_place_few_people_used_is_never_told_exactly(desk: Client, morning: Any) -> None:
    clicked(morning, "lead/1", 7)
    clicked(morning, "top/2", 4)
    clicked(morning, "top/2", 3, verdict="scanner", rules=["R7"], first=8)
    page = shown(desk, morning)
    rows = {row[0].text_content().split()[1]: row[2].text_content() for row in page.xpath("//table[@class='slots'][.//th[text()='Place']]/tbody/tr") if "/" in row[0].text_content()}  # fmt: skip
    assert (rows["lead/1"], rows["top/2"], rows["top/3"]) == ("7", "under 5", "0")
    bars = page.xpath("//*[local-name()='rect'][starts-with(@class, 'heat-')]/@class")
    assert (bars.count("heat-5"), bars.count("heat-1"), {*bars}) == (1, 1, {"heat-5", "heat-1", "heat-0"})
    taken = desk.get(address(morning, "results.json")).json()
    assert {row["slot"]: row["people"] for row in taken["places"]}["top/2"] == "under 5"


@pytest.mark.parametrize(
    ("n", "most", "step"), [(0, 50, 0), (3, 50, 1), (3, 4, 0), (50, 50, 5), (6, 50, 1), (30, 50, 3)]
)
def test_heat_tells_nothing_below_the_floor(n: int, most: int, step: int) -> None:
    assert places.heat(n, most) == step


def test_clicks_add_up_by_section(desk: Client, morning: Any) -> None:
    clicked(morning, "lead/1", 6)
    clicked(morning, "top/2", 6)
    table = shown(desk, morning).xpath("//section[@aria-labelledby='sections']//tbody/tr")
    assert words(table[0]).split()[-1] == "12"


def test_what_editors_placed_stands_beside_what_the_rules_chose(desk: Client, morning: Any) -> None:
    lead = clicked(morning, "lead/1", 8)
    clicked(morning, "top/2", 6)
    Item.objects.filter(edition=morning.leaving.edition, article=lead.article).update(pinned=True)
    assert "1 story placed by editors brought 8 clicks each" in words(shown(desk, morning))


def test_the_site_and_stories_left_out_are_told_from_their_own_counts(desk: Client, morning: Any) -> None:
    lead = clicked(morning, "lead/1", 1)
    day, minute = (
        int(morning.leaving.created_at.timestamp()) // 86_400,
        int(morning.leaving.created_at.timestamp()) // 60,
    )
    Reading.objects.create(article=lead.article, day=day, views=40, seconds=2400)
    out = Item.objects.filter(edition=morning.leaving.edition, picked=True).exclude(article=lead.article).first()
    assert out is not None
    Item.objects.filter(id=out.id).update(picked=False)
    Tally.objects.create(article=out.article, minute=minute + 5, channel="site", n=30)
    Tally.objects.create(article=out.article, minute=minute + 500, channel="site", n=500)
    main = words(shown(desk, morning))
    assert "viewed 40 times on its day and the next, and stayed visible for 1 min each" in main
    assert f"{out.article.headline} 30 clicks of people" in main


def test_who_got_which_version_and_what_was_corrected(desk: Client, morning: Any) -> None:
    send, now = morning.leaving, morning.now
    lead = Link.objects.get(origin=send.origin, slot="lead/1").article
    assert lead is not None
    assert "All 7 readers who have it got one version" in words(shown(desk, morning))
    note(verb="leave_out", subject="send", subject_id=send.id, now=now, stories=["A <b>killed</b> one"], readers=5)
    Bulletin.objects.create(article=lead, kind="correction", version=2, at=now, said="It was Tuesday.")
    account = posts.account(handle="@second", now=now)
    posts.post(article=lead, account=account, purpose="correction:2", state=Post.State.POSTED, now=now)
    page = words(shown(desk, morning).xpath("//section[@aria-labelledby='versions']")[0])
    assert "About 7 readers: as the rules let it leave." in page or "About 7 readers: as" in page
    assert "About 5 readers from" in page
    assert "without “A <b>killed</b> one”, which was killed" in page
    assert "was corrected" in page
    assert "“It was Tuesday.”. Posts: agora/@second: posted" in page


def test_whom_it_reached_is_told_by_domain_and_departure(desk: Client, morning: Any) -> None:
    send = morning.leaving
    rows = list(Delivery.objects.filter(send=send).order_by("ordinal"))
    for row, name in zip(rows, ["big.example"] * 9 + ["few.example"] * 3, strict=True):
        row.address, row.state = f"r{row.ordinal}@{name}", "accepted"
    rows[0].state, rows[8].state, rows[10].state = "refused", "complained", "bounced"
    Delivery.objects.bulk_update(rows, ["address", "state"])
    Send.objects.filter(id=send.id).update(state="submitted")
    Subscription.objects.filter(subscriber_id=rows[8].subscriber_id).update(left_at=send.created_at)
    leaving = [
        {"at": "2026-04-19T04:30:00+00:00", "first": 1, "last": 8, "zones": ["Asia/Tokyo"], "more": 0},
        {"at": "2026-04-19T11:30:00+00:00", "first": 9, "last": 12, "zones": ["Europe/Brussels"], "more": 3},
    ]
    made = {"domains": [["big.example", 9]], "departures": leaving, "segment": "Loyal"}
    reports.keep(send.origin_id, made_of=made)
    section = words(shown(desk, morning).xpath("//section[@aria-labelledby='whom']")[0])
    assert "Only readers of the segment “Loyal”" in section
    assert "big.example 9 8 88.9 % 1 under 5 under 5 all others 3 2 66.7 % 1 0 0" in section
    assert "Asia/Tokyo 8 7 87.5 % 1 0 0" in section
    assert "Europe/Brussels and 3 more 4 3 75.0 % 1 under 5 under 5" in section
    assert "Dateline does not read that mailbox" in section
    taken = desk.get(address(morning, "results.json")).json()
    assert taken["mail_domains"][0] == {
        "name": "big.example", "readers": 9, "delivered": 8, "turned_away": 1, "complaints": "under 5", "left": "under 5",
    }  # fmt: skip
    assert "departure, delivered" in desk.get(address(morning, "results.csv")).content.decode()


def test_an_audience_nobody_noted_is_not_made_up(desk: Client, morning: Any) -> None:
    Report.objects.all().delete()
    assert "frozen before Dateline noted what it was made of" in words(shown(desk, morning).get_element_by_id("main"))


def test_the_curve_is_drawn_with_its_numbers_beside_it(desk: Client, morning: Any) -> None:
    start = morning.leaving.origin.started_at
    for ordinal in range(1, 25):
        engagement.event(origin=morning.leaving.origin, ordinal=ordinal, at=start + timedelta(minutes=2 * ordinal))
    section = shown(desk, morning).xpath("//section[@aria-labelledby='time']")[0]
    assert section.xpath(".//*[local-name()='svg'][@role='img']/*[local-name()='title']")
    assert "Half of all clicks had come within 25 min of the start" in words(section)
    assert "1 h 24 100 %" in words(section)


def test_what_is_taken_away_holds_the_same_numbers_and_runs_nowhere(desk: Client, morning: Any) -> None:
    lead = clicked(morning, "lead/1", 6)
    assert lead.article is not None
    lead.article.headline = '=HYPERLINK("https://evil.example","x")'
    lead.article.save()
    counted(morning)
    whole = json.loads(desk.get(address(morning, "results.json")).content)
    answer = desk.get(address(morning, "results.csv"))
    rows = list(csv.reader(StringIO(answer.content.decode())))
    assert answer.headers["Content-Disposition"] == f'attachment; filename="edition-{morning.leaving.edition_id}.csv"'
    assert (whole["delivered"], whole["human_clickers"]) == (7, 6)
    assert ["edition", "human_clickers", "6", ""] in rows
    assert not [cell for row in rows for cell in row if cell[:1] in "=+-@\t\r" and cell]
    assert any(row[0] == "place" and row[2] == "6" and "HYPERLINK" in row[1] for row in rows)


def test_what_was_sent_is_listed_with_its_figures(desk: Client, morning: Any) -> None:
    clicked(morning, "lead/1", 2)
    counted(morning)
    row = lxml_html.document_fromstring(desk.get("/desk/results/").content.decode()).xpath("//tbody/tr")[0]
    assert "Morning Brief" in words(row)
    assert "7 58.3 % 2 28.6 % 0 0" in words(row)


def test_nothing_sent_has_no_results(desk: Client, morning: Any) -> None:
    for end in ("results/", "results.csv", "results.json"):
        assert desk.get(f"/desk/editions/{morning.ready.id}/{end}").status_code == 404


def test_the_queries_do_not_grow_with_what_happened(desk: Client, morning: Any) -> None:
    def taken(url: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert desk.get(url).status_code == 200
        return len(seen)

    lead = Link.objects.get(origin=morning.leaving.origin, slot="lead/1").article
    assert lead is not None
    Bulletin.objects.create(article=lead, kind="correction", version=4, at=morning.now)
    counted(morning)
    urls = [address(morning), "/desk/results/"]
    few = [taken(url) for url in urls]
    for number, link in enumerate(Link.objects.filter(origin=morning.leaving.origin, article__isnull=False)):
        assert link.article is not None
        Bulletin.objects.create(article=link.article, kind="correction", version=5, at=morning.now)
        Reading.objects.create(article=link.article, day=20_000 + number, views=1, seconds=1)
        engagement.event(origin=morning.leaving.origin, ordinal=number, link=link.number)
    counted(morning)
    assert [taken(url) for url in urls] == few
    assert max(few) <= 29
    assert Send.objects.count() == 1
