"""Articles that wait for a person: held with one cause as one batch, released with one click, or let go."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet

from pipeline.articles.gates import bulletins
from pipeline.articles.gates.screen import Decision, State
from pipeline.articles.models import Article, Bulletin, Hold
from pipeline.staff.journal import note
from pipeline.staff.models import Stop, User

#: Of one source: what is held for the same reason within this time was one event.
ONE_EVENT = timedelta(hours=6)
#: Held each for a reason of its own, whatever else is held.
_SINGLE = frozenset({"embargo", "retraction", "another_story", "marked_since"})

_LOCK = """
SELECT source.id FROM dateline_source source
  JOIN dateline_article article ON article.source_id = source.id WHERE article.id = %s FOR UPDATE OF source
"""


def lock_source_of(article_id: int) -> None:
    """Decide about one article of a source at a time: counts and budgets would be wrong otherwise."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [article_id])


def set_aside(article: Article, decision: Decision, *, now: datetime) -> None:
    """Give an article a state in which it is not told; one that is held waits for a person."""
    article.state, article.code, article.params = decision.state.value, decision.code, dict(decision.params)
    article.missing_at = now if decision.code == "gone_before_told" else article.missing_at
    article.save(update_fields=["state", "code", "params", "missing_at"])
    if decision.state is State.HELD:
        batch = _batch(article, decision.code, now=now)
        Hold.objects.create(article=article, code=decision.code, params=dict(decision.params), at=now, batch=batch)


def pull_back(article: Article, decision: Decision, *, now: datetime, since: datetime) -> int:
    """Hold what the same source has ready and has not told: a burst is held whole, its first stories included."""
    waiting = Article.objects.filter(
        source_id=article.source_id, state=Article.State.ELIGIBLE, announced_at=None, eligible_at__gt=since
    )
    found = list(waiting.exclude(code="released").exclude(id=article.id))
    for other in found:
        set_aside(other, decision, now=now)
    return len(found)


def open_batches() -> QuerySet[Hold]:
    """Holds nobody has decided about, the newest first."""
    return Hold.objects.filter(released_at=None, article__state=Article.State.HELD).order_by("-at", "-id")


def release(*, hold_id: int, actor: User, now: datetime) -> bool:
    """A person lets a held article go on: it is told now. True if it was still held."""
    return bool(_let_go([hold_id], actor=actor, now=now))


def release_batch(*, batch: str, actor: User, now: datetime) -> int:
    """A person lets all that one event held go on; how many articles."""
    return _let_go(list(open_batches().filter(batch=batch).values_list("id", flat=True)), actor=actor, now=now)


@transaction.atomic
def discard_batch(*, batch: str, actor: User, now: datetime, reason: str = "") -> int:
    """A person says that none of a batch is news: archived, to be found and never told; how many articles."""
    holds = list(open_batches().filter(batch=batch).select_for_update(of=("self",)))
    for hold in holds[:1]:  # a batch is of one source
        lock_source_of(hold.article_id)
    ids = [hold.article_id for hold in holds]
    done = Article.objects.filter(id__in=ids, state=Article.State.HELD).update(
        state=Article.State.ARCHIVED, code="discarded", params={}
    )
    Hold.objects.filter(id__in=[hold.id for hold in holds]).update(released_at=now, released_by=actor)
    if done:
        note(verb="discard", subject="hold", subject_id=holds[0].id, now=now, actor=actor, reason=reason, articles=done)
    return done


@transaction.atomic
def _let_go(hold_ids: list[int], *, actor: User, now: datetime) -> int:
    count = 0
    for hold in Hold.objects.select_for_update(of=("self",)).filter(id__in=hold_ids, released_at=None).order_by("id"):
        lock_source_of(hold.article_id)  # whoever reads the story again would write it back as it was
        held = Article.objects.filter(id=hold.article_id, state=Article.State.HELD)
        if held.update(state=Article.State.ELIGIBLE, code="released", params={}, eligible_at=now, settles_at=now):
            Hold.objects.filter(article_id=hold.article_id, released_at=None).update(released_at=now, released_by=actor)
            bulletins.announce(Article.objects.get(id=hold.article_id), now=now)
            count += 1
            note(
                verb="release", subject="article", subject_id=hold.article_id, now=now, actor=actor, held_for=hold.code
            )
    return count


@transaction.atomic
def kill(*, article_id: int, actor: User | None, now: datetime, reason: str) -> bool:
    """Take a story out of everything that has not left yet; True if it was not killed before."""
    lock_source_of(article_id)  # whoever decides about it now would write it back as it was
    living = Article.objects.filter(id=article_id).exclude(state=Article.State.KILLED)
    if not living.update(state=Article.State.KILLED, code="killed", params={"reason": reason[:300]}, killed_at=now):
        return False
    bulletins.say(Article.objects.get(id=article_id), kind=Bulletin.Kind.KILL, now=now, said=reason)
    note(verb="kill", subject="article", subject_id=article_id, now=now, actor=actor, reason=reason)
    return True


def stop_telling(*, actor: User | None, now: datetime, reason: str) -> bool:
    """Pull the global brake: nothing is announced after this commits. True if it was not pulled before."""
    stop, made = Stop.objects.get_or_create(kind=Stop.Kind.TELLING, defaults={"at": now, "by": actor, "reason": reason})
    if made:
        note(verb="stop", subject="telling", subject_id=stop.id, now=now, actor=actor, reason=reason)
    return made


def resume_telling(*, actor: User | None, now: datetime) -> bool:
    """Let go of the brake; what it held stays held until it is released. True if it was pulled."""
    gone, _ = Stop.objects.filter(kind=Stop.Kind.TELLING).delete()
    if gone:
        note(verb="resume", subject="telling", subject_id=0, now=now, actor=actor)
    return bool(gone)


def _batch(article: Article, code: str, *, now: datetime) -> str:
    """The batch of an event that is still open, or a new one's name."""
    if code not in _SINGLE:
        same = open_batches().filter(article__source_id=article.source_id, code=code, at__gt=now - ONE_EVENT)
        if known := same.exclude(batch="").values_list("batch", flat=True).first():
            return known
    return f"{code}-{article.source_id}-{article.id}-{now:%Y%m%dT%H%M%S}"
