"""What the rooms downstream must hear of an article, said once; they ask for it by id."""

from __future__ import annotations

from datetime import datetime

from pipeline.articles.models import Article, Bulletin
from pipeline.hooks.tell import tell
from pipeline.kernel.queue import Job, wake

#: After these a story must leave Most Popular, or stand there with other words, at once.
_RERANKED = (Bulletin.Kind.KILL, Bulletin.Kind.GONE, Bulletin.Kind.RETRACTION, Bulletin.Kind.CORRECTION)


_TOLD = {
    Bulletin.Kind.NEW: "article.announced",
    Bulletin.Kind.CORRECTION: "article.corrected",
    Bulletin.Kind.KILL: "article.killed",
    Bulletin.Kind.RETRACTION: "article.killed",
    Bulletin.Kind.GONE: "article.killed",
}


def announce(article: Article, *, now: datetime) -> bool:
    """Announce an eligible article; True for the one caller that did. The row's own condition is what makes it once."""
    won = Article.objects.filter(id=article.id, state=Article.State.ELIGIBLE, announced_at=None).update(
        announced_at=now
    )
    if not won:
        return False
    article.announced_at = now
    say(article, kind=Bulletin.Kind.NEW, now=now)
    wake(Job.POSTS_COMPOSE, article_id=article.id)
    return True


def say(article: Article, *, kind: Bulletin.Kind, now: datetime, said: str = "") -> bool:
    """One bulletin for each article, kind and version; True if it is new."""
    _, made = Bulletin.objects.get_or_create(
        article=article, kind=kind, version=article.version, defaults={"at": now, "said": said[:2000]}
    )
    if made and kind in _TOLD:
        tell(event=_TOLD[kind], body=_body(article, said), now=now)
    if made and kind in _RERANKED:
        wake(Job.RANKING_REFRESH)
    return made


def _body(article: Article, said: str) -> dict[str, object]:
    """A story as hooks/events.py promises it."""
    return {
        "id": article.id,
        "url": article.url,
        "headline": article.headline,
        "section": article.section_path,
        "version": article.version,
        "said": said[:2000],
    }
