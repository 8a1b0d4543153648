"""Who got which version, what was corrected since, and what was done about it."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from pipeline.articles.models import Bulletin
from pipeline.delivery.models import Send
from pipeline.desk import words
from pipeline.desk.stories import posts, responses
from pipeline.editions.models import Item, Newsletter
from pipeline.kernel.pages import local
from pipeline.posts.models import Post
from pipeline.staff.models import JournalEntry

MOST, MOST_POSTS = 20, 12
_KINDS = {
    Bulletin.Kind.CORRECTION: "was corrected",
    Bulletin.Kind.RETRACTION: "was withdrawn by the site",
    Bulletin.Kind.KILL: "was killed",
    Bulletin.Kind.GONE: "went from the site",
}
ARRANGED = "Blocks are arranged for each reader by what they follow, so two readers may have had different stories."
SPARED = "Who had a story from another newsletter that week was spared it."


def told(send: Send, *, delivered: int, zone: str) -> dict[str, Any]:
    """Versions, corrections with what was done, posts of the same stories. Six queries."""
    items = list(Item.objects.filter(edition_id=send.edition_id, picked=True).values_list("article_id", "version"))
    ids = [article_id for article_id, _ in items]
    cuts = list(JournalEntry.objects.filter(subject="send", subject_id=send.id, verb="leave_out").order_by("at")[:MOST])
    killed = Item.objects.filter(edition_id=send.edition_id, code="killed").values_list("article_id", flat=True)
    corrections = Bulletin.objects.filter(
        article_id__in=[*ids, *killed], kind__in=_KINDS, at__gte=send.created_at
    ).select_related("article")
    changed = list(corrections.order_by("at")[:MOST])
    answers = _answers({one.article_id for one in changed})
    return {
        "versions": _versions(send, cuts, delivered=delivered, zone=zone),
        "corrections": [_correction(one, answers[one.article_id], send.created_at) for one in changed],
        "posts": _posts(ids, zone=zone, since=send.created_at),
    }


def _versions(send: Send, cuts: list[JournalEntry], *, delivered: int, zone: str) -> list[str]:
    newsletter = send.edition.newsletter
    said = [_first(send, cuts, delivered)]
    for at, entry in enumerate(cuts):
        readers = _readers(entry) - (_readers(cuts[at + 1]) if at + 1 < len(cuts) else 0)
        stories = ", ".join(f"“{story}”" for story in entry.detail.get("stories", ())) or "a story"
        said.append(
            f"About {words.count(readers, 'reader')} from {local(entry.at, zone, '%H:%M:%S')} on: without {stories}, which was killed."
        )
    if newsletter.reader_choice != Newsletter.ReaderChoice.ALL:
        said.append(ARRANGED)
    return [*said, SPARED] if newsletter.remembers_readers else said


def _first(send: Send, cuts: list[JournalEntry], delivered: int) -> str:
    approved = f"as {send.edition.approved_by} approved it" if send.edition.approved_by else "as the rules let it leave"
    if not cuts:
        return f"All {words.count(delivered, 'reader')} who have it got one version, {approved}."
    return f"About {words.count(max(0, send.recipients - _readers(cuts[0])), 'reader')}: {approved}."


def _readers(entry: JournalEntry) -> int:
    return int(entry.detail.get("readers") or 0)


def _answers(article_ids: set[int]) -> defaultdict[int, list[Post]]:
    """Posts that set something right, by article."""
    found: defaultdict[int, list[Post]] = defaultdict(list)
    about = Q(purpose__startswith="correction") | Q(act__in=[Post.Act.EDIT, Post.Act.DELETE])
    for post in Post.objects.filter(about, article_id__in=article_ids).select_related("account").order_by("id"):
        found[post.article_id].append(post)
    return found


def _correction(one: Bulletin, answers: list[Post], sent_at: datetime) -> dict[str, Any]:
    return {
        "article_id": one.article_id,
        "headline": one.article.headline,
        "kind": _KINDS[Bulletin.Kind(one.kind)],
        "at": one.at,
        "after": words.duration((one.at - sent_at).total_seconds()),
        "said": one.said,
        "done": [f"{post.account}: {words.badge('post', post.state).label}" for post in answers],
    }


def _posts(article_ids: list[int], *, zone: str, since: datetime) -> list[dict[str, Any]]:
    """Posts of the same stories from a day before on, with what people and the network say."""
    live = posts.posts().filter(
        article_id__in=article_ids, state=Post.State.POSTED, posted_at__gt=since - timedelta(days=1)
    )
    found = list(live[:MOST_POSTS])
    heard = responses.heard(found)
    return [posts.row(post, zone=zone) | {"heard": heard.get(post.id)} for post in found]
