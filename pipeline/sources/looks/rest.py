"""A look at WordPress's REST interface: sets of ids compared, for no watermark sees everything (reference 0.2, 0.3).

`orderby=id` shows new posts with old dates and what is missing, `after` drafts made long ago and released today,
`modified_after` edits of older posts. The first and the last are asked at every look, all three after a hint and once
an hour. The interface gives neither ETag nor Last-Modified.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from pipeline.articles.gates.screen import BURST_AT_LEAST
from pipeline.articles.identity import identify
from pipeline.articles.models import Alias, Article
from pipeline.kernel.outbound.http import Answer
from pipeline.sources.formats import wordpress
from pipeline.sources.formats.entries import Entry
from pipeline.sources.formats.wordpress import Posts, Term
from pipeline.sources.looks import conditional
from pipeline.sources.looks.asking import Asker, Failed, Told, parsed
from pipeline.sources.looks.zones import zone_of
from pipeline.sources.models import Channel, Observation

FULL_EVERY = timedelta(hours=1)
PUBLISHED_WITHIN, OVERLAP = timedelta(hours=48), timedelta(minutes=15)
BASELINE_PAGES, FURTHEST_PAGE, PAGE = 2, 10, 100
#: A page ends on known ground when one of its last few posts is known; its first ones another channel may have told.
GROUND = 5
RECENT_ARTICLES = 300
TREE_FOR = timedelta(hours=1)
TREE_PAGES, TREES = 5, 500
_LIVING = (Article.State.SEEN, Article.State.READ, Article.State.ELIGIBLE, Article.State.HELD)

#: Category trees by root and when they were read, in this process: parents are told nowhere else.
_trees: dict[str, tuple[datetime, Mapping[int, Term]]] = {}
#: By root, sections that posts name and a tree read for them has not.
_in_vain: dict[str, set[int]] = {}


def look(channel: Channel, *, asker: Asker, now: datetime) -> Told:
    """Raises Failed."""
    root = channel.url
    if not channel.body_hash:
        return _first(channel, asker=asker, now=now)
    full = channel.last_full_at is None or now - channel.last_full_at >= FULL_EVERY
    answer = asker.get(wordpress.newest(root))
    digest = _digest(answer)
    is_same = digest == channel.body_hash
    newest = None if is_same else _read(answer, channel, asker=asker, now=now)
    others = [asker.get(wordpress.modified_since(root, since=_since(channel, now=now)))]
    others += [asker.get(wordpress.published_since(root, since=now - PUBLISHED_WITHIN))] if full else []
    if is_same and not full and others[0].body.strip() == b"[]":
        return _told(answer, full=False, digest=digest, is_same=True)
    newest = newest or _read(answer, channel, asker=asker, now=now)
    also = [entry for other in others for entry in _read(other, channel, asker=asker, now=now).entries]
    listed = _to_known_ground(channel, newest, asker=asker, now=now)
    entries = _distinct([*listed, *also])
    return _told(
        answer,
        full=full,
        digest=digest,
        entries=entries,
        posts=newest,
        listed=_explained(channel, newest, entries, now=now),
        lacking=_lacking(channel.source_id, listed, now=now),
    )


def _first(channel: Channel, *, asker: Asker, now: datetime) -> Told:
    """The baseline: the newest two hundred."""
    answer = asker.get(wordpress.newest(channel.url, count=PAGE))
    posts = _read(answer, channel, asker=asker, now=now)
    entries = list(posts.entries)
    for page in range(2, min(BASELINE_PAGES, posts.pages or 1) + 1):
        entries += _page(channel, page, asker=asker, now=now)
    return _told(answer, full=True, digest=_digest(answer), entries=_distinct(entries), posts=posts)


def _told(
    answer: Answer, *, full: bool, digest: str, is_same: bool = False, entries: Sequence[Entry] = (),
    posts: Posts | None = None, listed: int = 0, lacking: Sequence[int] = (),
) -> Told:  # fmt: skip
    moved = answer.permanent_redirect_to
    return Told(
        status=answer.status,
        is_full=full,
        digest=digest,
        is_same=is_same,
        entries=tuple(entries),
        note="; ".join(posts.warnings) if posts else "",
        moved_to=wordpress.root(moved) or None if moved else None,
        total=posts.total if posts else None,
        listed=listed,
        lacking=tuple(lacking),
    )


def _since(channel: Channel, *, now: datetime) -> datetime:
    """From before the last good look; after errors that was the last full one at the latest."""
    last = channel.last_full_at if channel.errors else channel.last_checked_at
    return max(last - OVERLAP, now - PUBLISHED_WITHIN) if last else now - PUBLISHED_WITHIN


def _digest(answer: Answer) -> str:
    return conditional.digest(answer.body, beside=answer.headers.get("x-wp-total", ""))


def _read(answer: Answer, channel: Channel, *, asker: Asker, now: datetime) -> Posts:
    tree = _tree(channel.url, asker=asker, now=now)
    posts = _read_with(tree, answer, channel)
    if unknown := _unknown(channel.url, tree, posts):
        return _read_with(_tree(channel.url, asker=asker, now=now, seeking=unknown), answer, channel)
    return posts


def _read_with(tree: Mapping[int, Term], answer: Answer, channel: Channel) -> Posts:
    zone = zone_of(channel.source.zone)
    return parsed(
        lambda: wordpress.read_posts(answer.body, url=answer.final_url, zone=zone, tree=tree, headers=answer.headers),
        refused_if_unusable=True,
    )


def _to_known_ground(channel: Channel, newest: Posts, *, asker: Asker, now: datetime) -> list[Entry]:
    """The newest posts without a gap down to some we know; where there are too many, as many as ten pages hold.

    Another channel may have told the newest already, so known ground must also lie as deep as the site has grown.
    """
    grown = (newest.total or 0) - (channel.source.posts_total or newest.total or 0)
    listed = page = list(newest.entries)
    for number in range(1, FURTHEST_PAGE + 1):
        if not page or (len(listed) >= grown and _knows_ground(channel.source_id, page)):
            break
        page = _page(channel, number, asker=asker, now=now)
        listed = _distinct([*listed, *page])
    return listed


def _knows_ground(source_id: int, page: Sequence[Entry]) -> bool:
    return bool(identify.known_posts(source_id=source_id, wp_ids=_ids(page[-GROUND:])))


def _page(channel: Channel, number: int, *, asker: Asker, now: datetime) -> list[Entry]:
    answer = asker.get_further(wordpress.newest(channel.url, count=PAGE, page=number))
    return list(_read(answer, channel, asker=asker, now=now).entries) if answer is not None else []


def _explained(channel: Channel, newest: Posts, entries: Sequence[Entry], *, now: datetime) -> int:
    """How many posts explain that the site has more than before: those new here, and what another channel told first.

    The last look that brought anything is the one whose total we hold; looks that bring nothing leave no row.
    """
    grown = (newest.total or 0) - (channel.source.posts_total or 0)
    ids = _ids(entries)
    new = len(ids) - len(identify.known_posts(source_id=channel.source_id, wp_ids=ids))
    if grown <= new + BURST_AT_LEAST:
        return new
    last = Observation.objects.filter(channel=channel, status=200).order_by("-at").values_list("at", flat=True).first()
    since = last or channel.last_checked_at or now
    return new + Article.objects.filter(source_id=channel.source_id, first_seen_at__gte=since).count()


def _lacking(source_id: int, listed: Sequence[Entry], *, now: datetime) -> list[int]:
    """Posts of ours that belong among these, by their numbers, and are not there any more."""
    ids = _ids(listed)
    if not ids:
        return []
    recent = Article.objects.filter(source_id=source_id, state__in=_LIVING, first_seen_at__lt=now)
    recent = recent.order_by("-first_seen_at", "-id")[:RECENT_ARTICLES]
    values = Alias.objects.filter(
        source_id=source_id, kind="wp_id", article_id__in=list(recent.values_list("id", flat=True))
    )
    known = {int(value) for value in values.values_list("value", flat=True) if value.isdecimal()}
    return sorted(number for number in known - ids if number > min(ids))


def _ids(entries: Iterable[Entry]) -> set[int]:
    return {entry.wp_id for entry in entries if entry.wp_id}


def _distinct(entries: Iterable[Entry]) -> list[Entry]:
    return list({entry.wp_id or entry.id: entry for entry in entries}.values())


def _unknown(root: str, tree: Mapping[int, Term], posts: Posts) -> set[int]:
    """Sections of these posts that were made since the tree was read, and were not sought in vain yet."""
    named = {step.term_id for entry in posts.entries for step in entry.sections if step.term_id}
    return named - tree.keys() - _in_vain.get(root, set()) if tree else set()


def _tree(root: str, *, asker: Asker, now: datetime, seeking: Collection[int] = ()) -> Mapping[int, Term]:
    """The site's categories, read once an hour or to seek new ones; as they were where they are closed today."""
    read_at, tree = _trees.get(root, (None, {}))
    if read_at is not None and now - read_at < TREE_FOR and not seeking:
        return tree
    with suppress(Failed):  # sections then go by what the posts themselves embed
        tree = _categories(root, asker)
    if len(_trees) >= TREES:
        _trees.clear()
        _in_vain.clear()
    _trees[root] = (now, tree)
    _in_vain[root] = (_in_vain.get(root, set()) if seeking else set()) | set(seeking) - tree.keys()
    return tree


def _categories(root: str, asker: Asker) -> Mapping[int, Term]:
    answer: Answer | None = asker.get(wordpress.categories(root))
    terms: dict[int, Term] = {}
    for page in range(2, TREE_PAGES + 2):
        if answer is None:
            break
        read, body = wordpress.read_categories, answer.body
        terms |= parsed(lambda read=read, body=body: read(body))  # type: ignore[misc]
        told = answer.headers.get("x-wp-totalpages", "1")
        if not told.isdecimal() or int(told) < page or page > TREE_PAGES:
            break
        answer = asker.get_further(wordpress.categories(root, page=page))
    return terms
