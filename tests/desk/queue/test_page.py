from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from lxml import html as lxml_html

from pipeline.delivery.models import Batch, Delivery, Provider, Send
from pipeline.desk.queue import acts, providers, rows
from pipeline.desk.queue.rows import Stage
from pipeline.editions.models import Edition
from pipeline.posts.models import Post
from pipeline.staff.models import Role, User
from tests.factories import delivery, editions, posts

pytestmark = pytest.mark.django_db
S = Delivery.State


def document(desk: Client, url: str) -> Any:
    answer = desk.get(url)
    assert answer.status_code == 200
    return lxml_html.document_fromstring(answer.content.decode())


def said(node: Any) -> str:
    return " ".join(" ".join(node.itertext()).split())


def flashes(desk: Client, state: str) -> str:
    return " ".join(
        said(node) for node in document(desk, f"/desk/queue/?state={state}").xpath("//p[contains(@class, 'flash')]")
    )


def stages(now: Any) -> dict[str, Stage]:
    return {row.where: row.stage for row in rows.listed(now=now, zone="UTC")}


def act(desk: Client, state: str, name: str, *keys: str, why: str = "") -> str:
    desk.post("/desk/queue/act", {"state": state, "act": name, "row": keys, "reason": why})
    return flashes(desk, state)


def test_mail_and_posts_stand_in_one_table_what_a_person_should_see_first(desk: Client, morning: Any) -> None:
    shown = rows.listed(now=morning.now, zone="UTC")
    assert [(row.where, row.stage) for row in shown] == [
        ("agora/@dispatch", Stage.UNKNOWN), ("Weekly", Stage.APPROVAL), ("Morning Brief", Stage.SENDING),
    ]  # fmt: skip
    told = said(document(desk, "/desk/queue/").xpath("//table")[0])
    assert "10 of 12" in told
    assert "2 readers to go; it ends by itself." in told
    assert "It waits for approval" in told


@pytest.mark.parametrize(
    ("state", "answers", "stage"),
    [
        ("paused", [], Stage.PAUSED), ("asking", [], Stage.ASKING), ("preparing", [], Stage.PREPARING),
        ("failed", [], Stage.FAILED), ("cancelled", [S.ACCEPTED, S.CANCELLED], Stage.PARTLY),
        ("cancelled", [S.CANCELLED] * 12, Stage.CANCELLED), ("submitted", [S.UNKNOWN], Stage.UNKNOWN),
        ("submitted", [S.ACCEPTED] * 12, Stage.SENT),
    ],
)  # fmt: skip
def test_a_send_decides_where_its_edition_stands(morning: Any, state: str, answers: list[S], stage: Stage) -> None:
    delivery.answered(send=morning.leaving, states=answers, now=morning.now)
    Send.objects.update(state=state)
    assert stages(morning.now)["Morning Brief"] == stage


def test_doubts_that_were_left_alone_need_nobody_any_more(desk: Client, morning: Any) -> None:
    Send.objects.update(state="submitted")
    assert "without an answer" in desk.get("/desk/").content.decode()
    desk.post(f"/desk/editions/{morning.leaving.edition_id}/doubts", {"leave": "yes"})
    assert stages(morning.now)["Morning Brief"] == Stage.SENT
    assert Delivery.objects.filter(state=S.UNKNOWN).count() == 2
    assert "without an answer" not in desk.get("/desk/").content.decode()


def test_several_are_paused_together_and_go_on_together(desk: Client, morning: Any) -> None:
    key = f"edition:{morning.leaving.edition_id}:0"
    assert "Pause: done to 1 of 1." in act(desk, "sending", "pause", key)
    assert Send.objects.get().state == "paused"
    assert "Resume: done to 1 of 1." in act(desk, "paused", "resume", key)
    assert Send.objects.get().state == "submitting"


def test_cancelling_the_rest_asks_why_and_keeps_it(desk: Client, morning: Any) -> None:
    key = f"edition:{morning.leaving.edition_id}:0"
    assert "Say why" in act(desk, "sending", "cancel-rest", key)
    assert Send.objects.get().state == "submitting"
    act(desk, "sending", "cancel-rest", key, why="wrong picture")
    assert Send.objects.get().state == "cancelled"
    assert set(Delivery.objects.filter(state=S.CANCELLED).values_list("reason", flat=True)) == {"wrong picture"}


def test_an_edition_is_skipped_only_as_it_was_seen(desk: Client, morning: Any) -> None:
    ready = morning.ready
    assert "Not done. Weekly" in act(desk, "approval", "skip", f"edition:{ready.id}:{ready.revision + 1}", why="x")
    act(desk, "approval", "skip", f"edition:{ready.id}:{ready.revision}", why="quiet day")
    assert Edition.objects.get(id=ready.id).state == "skipped"


def test_what_moved_on_meanwhile_is_left_as_it_is(desk: Client, morning: Any) -> None:
    Send.objects.update(state="submitted")
    assert "Morning Brief: it has moved on since you looked" in act(
        desk, "sending", "pause", f"edition:{morning.leaving.edition_id}:0"
    )
    assert Send.objects.get().state == "submitted"


def test_posts_are_held_let_go_and_cancelled_together(desk: Client, morning: Any) -> None:
    account = posts.account(handle="@second", now=morning.now)
    later = morning.now + timedelta(hours=3)
    made = [posts.post(article=story, account=account, state=Post.State.DUE, now=morning.now, due_at=later) for story in morning.stories[:3]]  # fmt: skip
    keys = [f"post:{post.id}" for post in made]
    assert "It is posted at that time" in said(document(desk, "/desk/queue/?state=scheduled").xpath("//tbody")[0])
    assert "Hold: done to 3 of 3." in act(desk, "scheduled", "hold", *keys)
    assert "Let go: done to 1 of 1." in act(desk, "held", "let-go", keys[0])
    act(desk, "held", "cancel-post", *keys[1:], why="overtaken")
    found = dict(Post.objects.filter(account=account).values_list("id", "state"))
    assert [found[post.id] for post in made] == ["due", "cancelled", "cancelled"]


@pytest.mark.parametrize(
    ("state", "name", "rows_"),
    [("sent", "pause", ["edition:1:0"]), ("sending", "no-act", ["edition:1:0"]), ("", "pause", ["edition:1:0"]), ("sending", "pause", []), ("sending", "pause", ["x", "edition:99999999999999999999:1", "post:²"])],
)  # fmt: skip
def test_what_makes_no_sense_changes_nothing(
    desk: Client, morning: Any, state: str, name: str, rows_: list[str]
) -> None:
    before = list(Send.objects.values()), list(Edition.objects.values())
    answer = desk.post("/desk/queue/act", {"state": state, "act": name, "row": rows_}, follow=True)
    assert answer.status_code == 200
    assert "flash" in answer.content.decode()
    assert (list(Send.objects.values()), list(Edition.objects.values())) == before


def test_an_act_of_mail_is_not_done_to_a_post(desk: Client, morning: Any) -> None:
    post = posts.post(
        article=morning.stories[1], account=posts.account(handle="@b"), state=Post.State.DRAFT, now=morning.now
    )
    assert "“Skip” is not for a post" in act(desk, "approval", "skip", f"post:{post.id}", why="no")


def test_whoever_may_only_look_is_shown_no_act_and_refused_by_each(desk: Client, ada: User, morning: Any) -> None:
    User.objects.filter(id=ada.id).update(role=Role.VIEWER)
    assert not document(desk, "/desk/queue/?state=sending").xpath("//main//form")
    key = f"edition:{morning.leaving.edition_id}:0"
    assert acts.NOT_YOURS in act(desk, "sending", "pause", key)
    assert Send.objects.get().state == "submitting"


def test_a_send_is_told_batch_by_batch(desk: Client, morning: Any) -> None:
    page = document(desk, f"/desk/queue/{morning.leaving.edition_id}/")
    row = [said(cell) for cell in page.xpath("//section[@aria-labelledby='batches']//tbody/tr")[0]]
    assert row[0] == "1 12 readers"
    assert row[3:] == ["7", "0", "1", "2", "2"]
    assert page.xpath("//form[contains(@action, '/pause')]//input[@name='to']/@value") == ["queue"]


def test_an_act_on_an_opened_send_comes_back_to_it(desk: Client, morning: Any) -> None:
    number = morning.leaving.edition_id
    answer = desk.post(f"/desk/editions/{number}/pause", {"to": "queue"})
    assert answer.headers["Location"] == f"/desk/queue/{number}/"


def test_providers_are_counted_apart_with_their_pace_and_last_word(morning: Any) -> None:
    rows_ = delivery.answered(send=morning.leaving, states=[S.ACCEPTED] * 4 + [S.DEFERRED], now=morning.now)
    for number, row in enumerate(rows_):
        row.address = f"r{number}@{'GMail.com' if number < 5 else 'live.co.uk' if number < 8 else 'yahoo.fr' if number < 10 else 'paper.example'}"
    rows_[0].answered_at = morning.now - timedelta(minutes=10)
    rows_[4].smtp_code, rows_[4].reason = 421, "4.7.28 unusual rate"
    Delivery.objects.bulk_update(rows_, ["address", "answered_at", "smtp_code", "reason"])
    told = {row["name"]: row for row in providers.table(morning.leaving, now=morning.now)["rows"]}
    assert list(told) == ["Gmail", "Yahoo", "Outlook", "All others"]
    gmail = told["Gmail"]
    assert (gmail["accepted"], gmail["deferred"], gmail["pace"]) == (4, 1, "1 a minute")
    assert gmail["said"] == "It asked us to come back later just now: “421 4.7.28 unusual rate”"
    assert (told["Yahoo"]["unknown"], told["Outlook"]["said"]) == (
        1,
        "It ended the connection before an answer just now",
    )
    assert told["All others"]["waiting"] == 2


def test_a_large_send_is_told_from_a_sample_and_says_so(
    desk: Client, morning: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers, "MOST_COUNTED", 10)
    monkeypatch.setattr(providers, "MOST_BATCHES", 2)
    for number in range(1, 4):
        Batch.objects.create(send=morning.leaving, number=number, due_at=morning.now)
    told = providers.table(morning.leaving, now=morning.now)
    assert (told["rows"][0]["accepted"], told["sampled"]) == (14, 2)
    shown = desk.get(f"/desk/queue/{morning.leaving.edition_id}/providers").content.decode()
    assert "Told from 2 of its batches" in shown


def test_lanes_say_what_holds_mail_back(morning: Any) -> None:
    now = morning.now
    Provider.objects.create(group="yahoo", connections=10)
    Provider.objects.create(group="google", connections=2, said="421 4.7.28 slow down")
    Provider.objects.create(group="outlook", connections=5, paused_until=now + timedelta(hours=2))
    Provider.objects.create(
        group="", connections=10, warming_since=now.date() - timedelta(days=2), day=now.date(), sent_today=40
    )
    told = {lane["name"]: lane for lane in providers.lanes(now=now)}
    assert {name: lane["badge"].label for name, lane in told.items()} == {
        "google": "slowed", "outlook": "paused", "whoever has no lane of their own": "warming up", "yahoo": "full pace",
    }  # fmt: skip
    assert told["google"]["says"] == "2 connections at once of 5."
    warming = told["whoever has no lane of their own"]
    assert (warming["day"], warming["sent"], warming["plan"]) == ("day 3 of 28", 40, 3000)


def test_the_queue_takes_the_same_few_queries_for_many_rows(desk: Client, morning: Any) -> None:
    def taken(url: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert desk.get(url).status_code == 200
        return len(seen)

    urls = ["/desk/queue/", f"/desk/queue/{morning.leaving.edition_id}/"]
    few = [taken(url) for url in urls]
    account = posts.account(handle="@many", now=morning.now)
    for number in range(8):
        slot = morning.now + timedelta(minutes=5 * number + 1)
        editions.edition(newsletter=morning.ready.newsletter, slot_at=slot, state=Edition.State.APPROVED)
        posts.post(article=morning.stories[number], account=account, now=morning.now)
    assert [taken(url) for url in urls] == few
    assert max(few) <= 14
