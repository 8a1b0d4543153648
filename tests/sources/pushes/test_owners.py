"""Signed webhooks: what the owner says is taken in at once, and nothing a stranger says is."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pipeline.articles.models import Alias, Article
from pipeline.kernel.queue import Job
from pipeline.sources.models import Channel, Look, Push, Source
from pipeline.sources.pushes import owners, signatures
from pipeline.sources.pushes.seals import new_secret, secret_of
from tests.factories import articles

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
STORY = "https://gazette.example/port/"
Rung = Callable[[Job], list[dict[str, int]]]


@pytest.fixture
def hook(site: Source, counters: redis.Redis) -> Push:
    made = Push.objects.create(source=site, kind=Push.Kind.WEBHOOK, created_at=NOW - timedelta(days=1))
    new_secret(made)
    return made


@pytest.fixture
def ghost(site: Source, counters: redis.Redis) -> Push:
    made = Push.objects.create(source=site, kind=Push.Kind.GHOST, created_at=NOW - timedelta(days=1))
    new_secret(made)
    return made


def send(push: Push, *, at: datetime = NOW, now: datetime = NOW, secret: str = "", **said: Any) -> owners.Answer:
    """What the sender gets for an event of its own."""
    body = json.dumps(said).encode()
    secret = secret or secret_of(push)
    headers = {"Dateline-Signature": signatures.dateline_header(secret=secret, body=body, at=at)}
    if push.kind == Push.Kind.GHOST:
        headers = {"X-Ghost-Signature": signatures.ghost_header(secret=secret, body=body, at=at)}
    return owners.receive(token=push.token, headers=headers, body=body, now=now)


def published(push: Push, **said: Any) -> owners.Answer:
    return send(
        push, **{"event": "published", "url": STORY, "title": "In port", "published_at": NOW.isoformat(), **said}
    )


def test_a_published_story_is_known_at_once_without_any_feed(
    hook: Push, rung: Rung, django_capture_on_commit_callbacks: Any
) -> None:
    Channel.objects.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        assert published(hook, id="42-x", wp_id=42).status == 202
    story = Article.objects.get()
    assert (story.headline, story.published_at, story.state) == ("In port", NOW, Article.State.SEEN)
    assert set(Alias.objects.values_list("kind", "value")) == {
        ("wp_id", "42"), ("guid", "42-x"), ("url", "gazette.example/port"),
    }  # fmt: skip
    assert rung(Job.ARTICLES_READ) == [{"article_id": story.id}]


def test_it_asks_for_a_look_too_and_the_push_has_delivered(hook: Push) -> None:
    published(hook)
    hook.refresh_from_db()
    assert (hook.state, hook.heard_at, hook.delivered_at) == (Push.State.ACTIVE, NOW, NOW)
    assert Channel.objects.get().next_due_at == NOW
    assert Look.objects.filter(push=hook).count() == 3


def test_a_broken_push_that_delivers_works_again(hook: Push) -> None:
    Push.objects.filter(id=hook.id).update(state=Push.State.BROKEN, missed=2)
    published(hook)
    hook.refresh_from_db()
    assert (hook.state, hook.missed) == (Push.State.ACTIVE, 0)


def test_the_same_request_again_is_refused_and_changes_nothing(hook: Push) -> None:
    assert published(hook).status == 202
    Article.objects.all().delete()
    assert published(hook).status == 409
    assert published(hook, title="In port again").status == 202
    assert Article.objects.count() == 1


def test_a_replay_in_another_spelling_is_the_same_replay(hook: Push) -> None:
    body = json.dumps({"event": "published", "url": STORY}).encode()
    header = signatures.dateline_header(secret=secret_of(hook), body=body, at=NOW)
    first, second = header, header.replace("v1=", "v1=00,v1=").replace("t=", " t=")
    statuses = [
        owners.receive(token=hook.token, headers={"Dateline-Signature": one}, body=body, now=NOW).status
        for one in (first, second, header.upper().replace("T=", "t=").replace("V1=", "v1="))
    ]
    assert statuses == [202, 409, 409]


@pytest.mark.parametrize("shift_s", [-400, 400])
def test_an_old_or_future_request_is_refused(hook: Push, shift_s: int) -> None:
    answer = published(hook, at=NOW + timedelta(seconds=shift_s))
    assert answer.status == 401 and "clock" in answer.words
    assert not Article.objects.exists() and not Look.objects.exists()


def test_another_secret_is_refused_and_causes_no_look(hook: Push) -> None:
    assert published(hook, secret="not it").status == 401
    assert owners.receive(token=hook.token, headers={}, body=b"{}", now=NOW).status == 401
    assert not Article.objects.exists() and not Look.objects.exists()


def test_a_secret_sealed_with_a_key_we_lost_opens_to_nobody(hook: Push) -> None:
    other = Push.objects.create(source=hook.source, kind=Push.Kind.GHOST, created_at=NOW)
    secret = new_secret(other)
    Push.objects.filter(id=hook.id).update(secret=other.secret)  # bound to another row
    assert published(Push.objects.get(id=hook.id), secret=secret).status == 401


def test_a_push_whose_secret_was_never_made_opens_to_nobody(site: Source, counters: redis.Redis) -> None:
    bare = Push.objects.create(source=site, kind=Push.Kind.WEBHOOK, created_at=NOW)
    body = b'{"event": "published", "url": "https://gazette.example/x/"}'
    headers = {"Dateline-Signature": signatures.dateline_header(secret="", body=body, at=NOW)}
    assert owners.receive(token=bare.token, headers=headers, body=body, now=NOW).status == 401


def test_a_story_on_another_site_is_not_taken_in(hook: Push) -> None:
    assert published(hook, url="https://gazette.example.evil.example/port/").status == 202
    assert not Article.objects.exists()
    assert Look.objects.exists()


def test_before_the_baseline_only_the_hint_counts(hook: Push) -> None:
    Source.objects.update(baseline_at=None)
    assert published(hook).status == 202
    assert not Article.objects.exists()
    assert Look.objects.exists()


def test_a_paused_source_is_left_in_peace(hook: Push) -> None:
    Source.objects.update(state=Source.State.PAUSED)
    assert published(hook).status == 202
    assert not Article.objects.exists() and not Look.objects.exists()


def test_an_update_of_a_story_nobody_knows_the_age_of_is_only_a_hint(hook: Push) -> None:
    """A bulk edit touches stories from years ago; they must not come in as new."""
    assert send(hook, event="updated", url=STORY, title="From 2009").status == 202
    assert not Article.objects.exists()
    assert send(hook, event="updated", url=STORY, title="From 2009", published_at="2009-01-01").status == 202
    assert Article.objects.get().published_at == datetime(2009, 1, 1, tzinfo=UTC)


def test_an_update_of_a_known_story_is_seen_as_a_change(hook: Push) -> None:
    published(hook, id="7")
    assert send(hook, event="updated", id="7", url="https://gazette.example/new-slug/", title="In port").status == 202
    assert Article.objects.count() == 1


def test_an_unpublished_story_is_looked_at_again_at_once(
    hook: Push, rung: Rung, django_capture_on_commit_callbacks: Any
) -> None:
    story = articles.article(source=hook.source, url=STORY, now=NOW)
    Alias.objects.create(source=hook.source, article=story, kind="wp_id", value="42")
    with django_capture_on_commit_callbacks(execute=True):
        assert send(hook, event="unpublished", wp_id=42).status == 202
    story.refresh_from_db()
    assert story.missing_at == NOW
    assert rung(Job.ARTICLES_REVISE) == [{"article_id": story.id}]


def test_an_unpublished_story_nobody_knows_is_no_error(hook: Push) -> None:
    assert send(hook, event="unpublished", id="nobody's").status == 202


def test_an_unreadable_body_that_is_signed_says_what_is_wrong(hook: Push) -> None:
    answer = send(hook, event="exploded")
    assert answer.status == 400 and "published" in answer.words
    assert not Look.objects.exists()


def test_a_request_that_could_not_be_done_may_be_sent_again(hook: Push, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(owners.hints, "hear", broken)
        with pytest.raises(RuntimeError):
            published(hook)
    assert published(hook).status == 202


def test_what_is_too_much_or_too_large_is_told_so(hook: Push) -> None:
    assert owners.receive(token=hook.token, headers={}, body=None, now=NOW).status == 413
    answers = [published(hook, title=f"Story {n}", url=f"{STORY}{n}/").status for n in range(61)]
    assert answers.count(202) == 59 and set(answers[59:]) == {429}


@pytest.mark.parametrize("kind", [Push.Kind.PING, Push.Kind.WEBSUB])
def test_the_token_of_another_kind_of_push_is_unknown_here(site: Source, kind: str) -> None:
    other = Push.objects.create(source=site, kind=kind, created_at=NOW)
    assert owners.receive(token=other.token, headers={}, body=b"", now=NOW) is owners.UNKNOWN
    assert owners.receive(token="nobody", headers={}, body=b"", now=NOW) is owners.UNKNOWN


def test_ghost_is_answered_anything_but_gone(ghost: Push) -> None:
    """410 would make Ghost delete its webhook for good."""
    post = {"id": "65a1", "title": "In port", "url": STORY, "status": "published", "published_at": NOW.isoformat()}
    assert send(ghost, post={"current": post, "previous": {"status": "draft"}}).status == 202
    assert Article.objects.get().headline == "In port"
    draft = {**post, "status": "draft", "url": "https://gazette.example/p/uuid/"}
    assert send(ghost, post={"current": draft, "previous": {"status": "published"}}).status == 202
    assert Article.objects.get().missing_at == NOW
    assert send(ghost, page={"current": post}).status == 202
    assert send(ghost, secret="not it", post={}).status == 401
    Push.objects.filter(id=ghost.id).update(state=Push.State.ENDED)
    assert send(ghost, post={}).status == 404


def test_an_answer_takes_a_few_statements_however_many_stories_are_known(hook: Push) -> None:
    """How long it takes is measured by benchmarks/hints.py; here, that it does not grow."""
    taken = []
    for n in range(20):
        with CaptureQueriesContext(connection) as asked:
            published(hook, url=f"{STORY}{n}/", id=str(n), title=f"Story {n}")
        taken.append(len(asked))
    assert taken[-1] <= min(taken[1:5]) <= 40
