"""What an account posted, as RSS: for networks without an API, and for services that read feeds.

An item keeps its guid and date for ever, whatever is corrected in it: readers that post again what changed its date
would say everything twice. What was taken down leaves, with a tombstone (RFC 6721) for those who kept a copy.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags
from django.views.decorators.http import require_safe

from pipeline.channels.feed import account_of
from pipeline.kernel.config import config
from pipeline.posts.models import Account, Post, Variant

MOST = 50  #: items, newest first
CACHE = "public, max-age=60, stale-while-revalidate=60, stale-if-error=86400"
_SPACES = (
    'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"'
)
_SHOWN = (Post.State.POSTED, Post.State.DELETED)
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@require_safe
def as_rss(request: HttpRequest, token: str) -> HttpResponse:
    """RSS 2.0 with a strong ETag. 404 for a token we never gave out."""
    account = Account.objects.filter(id=account_of(token, secrets=config().secrets) or 0).first()
    if account is None:
        raise Http404
    body = _feed(account, address=f"{config().site_url}/posts/{token}.rss").encode()
    headers = {"ETag": f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"', "Cache-Control": CACHE}
    asked = parse_etags(request.headers.get("If-None-Match", ""))
    if asked == ["*"] or any(one.removeprefix("W/") == headers["ETag"] for one in asked):
        return HttpResponseNotModified(headers=headers)
    return HttpResponse(body, content_type="application/rss+xml; charset=utf-8", headers=headers)


def _feed(account: Account, *, address: str) -> str:
    posts = _newest(account)
    title = _text(f"{account.handle} on {account.network}")
    items = "".join(_item(post) if post.state == Post.State.POSTED else _tombstone(post) for post in posts)
    built = f"<lastBuildDate>{_date(_changed_at(posts[0]))}</lastBuildDate>" if posts else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" {_SPACES}><channel><title>{title}</title>'
        f"<link>{_text(config().site_url)}</link><description>{title}</description>"
        f'<atom:link href={quoteattr(address)} rel="self" type="application/rss+xml"/>{built}{items}</channel></rss>\n'
    )


def _newest(account: Account) -> list[Post]:
    edits = Post.objects.filter(act=Post.Act.EDIT, state=Post.State.POSTED).order_by("posted_at", "id")
    chosen = Variant.objects.filter(chosen=True)
    shown = account.posts.filter(act__in=[Post.Act.PUBLISH, Post.Act.REPLY], state__in=_SHOWN, posted_at__isnull=False)
    return list(
        shown.select_related("article")
        .prefetch_related(
            Prefetch("variants", chosen, to_attr="words"),
            Prefetch("acts", edits.prefetch_related(Prefetch("variants", chosen, to_attr="words")), to_attr="edits"),
        )
        .order_by("-posted_at", "-id")[:MOST]
    )


def _item(post: Post) -> str:
    words = _words(post)
    first = next((line for line in words.splitlines() if line.strip()), post.article.headline)
    link = post.marker or post.article.url
    return (
        f"<item><title>{_text(first)}</title><link>{_text(link)}</link>"
        f'<guid isPermaLink="false">{_guid(post)}</guid><pubDate>{_date(post.posted_at)}</pubDate>'
        f"<atom:updated>{_changed_at(post).isoformat(timespec='seconds')}</atom:updated>"
        f"<dc:language>{_text(post.article.language or 'en')}</dc:language>"
        f"<description>{_text(words)}</description></item>"
    )


def _tombstone(post: Post) -> str:
    when = _changed_at(post).isoformat(timespec="seconds")
    return f'<at:deleted-entry ref="{_guid(post)}" when="{when}"/>'


def _words(post: Post) -> str:
    """As last edited, else as posted."""
    rows: list[Post] = [post, *post.edits]  # type: ignore[attr-defined]  # prefetched above
    said = [row.words[0].text for row in rows if row.words]  # type: ignore[attr-defined]
    return said[-1] if said else post.article.headline


def _changed_at(post: Post) -> datetime:
    edits: list[Post] = post.edits  # type: ignore[attr-defined]
    return max(at for row in (post, *edits) if (at := row.posted_at))


def _guid(post: Post) -> str:
    return f"dateline-post-{post.id}"


def _date(at: datetime | None) -> str:
    return format_datetime(at) if at else ""


def _text(words: str) -> str:
    return escape(_NOT_XML.sub("", words))
