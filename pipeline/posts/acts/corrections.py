"""A story was updated, corrected or withdrawn: each post of it that is live or about to leave is put right.

Bulletins are asked for, never pushed: the sweep finds articles with one that is newer than what their posts say.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q
from jinja2 import TemplateError

from pipeline.articles.models import Article, Bulletin
from pipeline.engagement.models import Link
from pipeline.kernel.queue import Job, wake
from pipeline.kernel.templating import sandbox
from pipeline.posts import wording
from pipeline.posts.acts import notes, threads
from pipeline.posts.models import Account, Post, Variant
from pipeline.posts.rules.remedies import GRAVITY, UPDATE, WITHDRAWN, Remedy, Way, label, remedy
from pipeline.posts.rules.rules import Rules
from pipeline.posts.variants import Brief, CannotFitError, Text
from pipeline.posts.variants import compose as fit

log = logging.getLogger("dateline.posts")

LOOK_BACK = timedelta(days=14)
SAID = (Post.Act.PUBLISH, Post.Act.REPLY)
#: Posts whose words can still be made again, because they did not leave.
UNSAID = (Post.State.DRAFT, Post.State.DUE)


def waiting(*, now: datetime) -> list[int]:
    """Articles with a bulletin that a live or waiting post of theirs does not know yet."""
    told = Bulletin.objects.filter(at__gt=now - LOOK_BACK).exclude(kind=Bulletin.Kind.NEW)
    ids = list(told.values_list("article_id", flat=True).distinct())
    stale = Q(state__in=UNSAID, act=Post.Act.PUBLISH, version__lt=F("article__version"), purpose__in=["new"])
    posts = Post.objects.filter(Q(article_id__in=ids), Q(state=Post.State.POSTED, act__in=SAID) | stale)
    open_ = {
        post.article_id
        for post in posts.select_related("article")
        if post.state != Post.State.POSTED or open_bulletin(post) is not None
    }
    return sorted(open_)


def open_bulletin(post: Post) -> Bulletin | None:
    """The gravest bulletin that a live post does not know and no act about it answers."""
    acts = list(post.acts.values_list("purpose", "version"))
    known = [
        told for told in post.article.bulletins.exclude(kind=Bulletin.Kind.NEW)
        if (told.kind in WITHDRAWN or told.version > post.version) and not _answered(told, post, acts)
    ]  # fmt: skip
    if any(told.kind in WITHDRAWN for told in known) and post.article.state == Article.State.ELIGIBLE:
        known = [told for told in known if told.kind not in WITHDRAWN]  # its page came back
    return max(known, key=lambda told: (GRAVITY.index(told.kind), told.version), default=None)


def _answered(told: Bulletin, post: Post, acts: list[tuple[str, int]]) -> bool:
    """An act about the post for this bulletin, or a graver one since.

    A correction's own words are not corrected by it; what is said below a part, the answer to the whole thread corrects.
    """
    is_ours = told.kind not in WITHDRAWN and post.purpose.startswith("correction:")
    if is_ours and (post.version >= told.version or threads.is_below_a_part(post)):
        return True
    rank = GRAVITY.index(told.kind)
    return any(
        version >= told.version and GRAVITY.index(kind) >= rank
        for purpose, version in acts
        if (kind := purpose.partition(":")[0]) in GRAVITY
    ) or any(purpose.startswith("delete:") for purpose, _ in acts)


def correct(*, article_id: int, now: datetime) -> int:
    """Put right every post of a story; how many posts were acted upon. Repeating it does nothing."""
    live = Post.objects.filter(article_id=article_id, state=Post.State.POSTED, act__in=SAID).order_by("id")
    done = sum(_correct_one(post_id, now=now) for post_id in list(live.values_list("id", flat=True)))
    unsaid = Post.objects.filter(
        article_id=article_id, state__in=UNSAID, act=Post.Act.PUBLISH, version__lt=F("article__version"), purpose="new"
    )
    return done + sum(word_again(post_id, now=now) for post_id in list(unsaid.values_list("id", flat=True)))


@transaction.atomic
def word_again(post_id: int, *, now: datetime) -> bool:
    """New words for a post that did not leave. What a person approved is theirs to approve again."""
    post = _locked(post_id)
    if post.state not in UNSAID or post.version >= post.article.version:
        return False
    try:
        wording.word(post, now=now)
    except (CannotFitError, TemplateError, OSError, ValueError) as error:
        post.state, post.code, post.params = Post.State.HELD, "no_words", {"said": str(error)[:300]}
        post.version = post.article.version
    else:
        if post.account.approval:
            post.state, post.code = Post.State.DRAFT, "changed_since"
    post.save()
    return True


@transaction.atomic
def _correct_one(post_id: int, *, now: datetime) -> bool:
    post = _locked(post_id)
    told = open_bulletin(post) if post.state == Post.State.POSTED else None
    if told is None:
        return False
    rules = Rules.of(post.account.rules).corrections
    cure = remedy(told.kind, can=wording.can_of(post.account), delete=rules.delete)
    if cure is not None and cure.relink and post.origin_id:
        lead_elsewhere(post, url=rules.note or notes.address(post.article_id))
    if cure is None or (told.kind == UPDATE and not _reads_otherwise(post)):
        Post.objects.filter(id=post.id).update(version=told.version)
        return False
    made = _make_act(post, told, cure, now=now)
    for part in threads.stale(post) if cure.way is Way.REPLY else ():
        _make_act(post, told, cure, now=now, part=part.number)
    return made


def _make_act(post: Post, told: Bulletin, cure: Remedy, *, now: datetime, part: int = 0) -> bool:
    """The act's row, once; `part` is the part of a thread that is answered, 0 the whole post."""
    suffix = threads.purpose(part) + ("" if post.purpose == "new" else f":{post.purpose}")
    act, made = Post.objects.get_or_create(
        article_id=post.article_id,
        account_id=post.account_id,
        purpose=f"{told.kind}:{told.version}{suffix}"[:40],
        defaults={
            "act": cure.way.value, "about": post, "due_at": now, "created_at": now, "version": told.version,
            "state": Post.State.DRAFT if cure.ask else Post.State.DUE, "code": "confirm_delete" if cure.ask else "",
            "params": {"kind": told.kind},
        },
    )  # fmt: skip
    if not made:
        return False
    if cure.way is not Way.DELETE:
        _word_act(act, post, told, now=now)
    if act.state == Post.State.DUE:
        wake(Job.POSTS_PUBLISH, post_id=act.id)
    return True


def _word_act(act: Post, post: Post, told: Bulletin, *, now: datetime) -> None:
    """An edit keeps the post's own link; what is said anew carries one of its own."""
    act.article, act.account = post.article, post.account
    keeps_link = act.act == Post.Act.EDIT
    act.marker = post.marker if keeps_link else wording.tracked_link(act, url=post.article.url, now=now)
    try:
        plain = wording.said_now(post) if keeps_link else _corrected(act, said="", plain=True)
        text = plain if told.kind == UPDATE else _corrected(act, said=told.said, plain=False)
        further = list(threads.anew(post, first=plain.text)) if keeps_link else []
        Variant.objects.create(post=act, tone=told.kind, text=text.text, parts=further, length=text.length, chosen=True)
    except (CannotFitError, TemplateError, OSError, ValueError) as error:
        act.state, act.code, act.params = Post.State.HELD, "no_words", {"said": str(error)[:300]}
    act.save()


def _corrected(act: Post, *, said: str, plain: bool) -> Text:
    voice = wording.voice_of(act.account)
    brief = wording.brief_of(act.article, link=act.marker)
    if not plain:
        values = {"label": label(brief.language), "said": _unlabelled(said, brief.language), "headline": brief.headline}
        source = wording.parts()["correction"]
        told = sandbox().overlay(autoescape=False).from_string(source).render(**values).strip()
        brief = Brief(
            headline=told, link=brief.link, standfirst=brief.headline if said else "", language=brief.language,
            sensitive=True,
        )  # fmt: skip
    return fit(
        brief, network=voice.network, template=None if not plain else voice.template, limit=voice.rules.length or None
    )


def _unlabelled(said: str, language: str) -> str:
    """The site's own words without the "Correction:" that we say already."""
    words = " ".join(said.split())
    for known in {label(language), label("en")}:
        if words.casefold().startswith(known.casefold()):
            return words[len(known) :].lstrip(" :–—-")
    return words


def _reads_otherwise(post: Post) -> bool:
    """Whether the post would be worded otherwise now."""
    chosen = Variant.objects.filter(post=post, chosen=True).first()
    if chosen is None:
        return False
    try:
        text = wording.said_now(post).text
    except (CannotFitError, TemplateError, OSError, ValueError):
        return False
    if wording.plain(text, post.marker) != wording.plain(chosen.text, post.marker):
        return True
    return bool(post.article.text) and threads.reads_otherwise(post, first=text)


def lead_elsewhere(post: Post, *, url: str) -> bool:
    """Lead a post's link to another place, in the caller's transaction; the tracking door hears of it by its revision."""
    links = Link.objects.filter(origin_id=post.origin_id, number=0) if post.origin_id else Link.objects.none()
    if not links.exclude(url=url).exists():
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE dateline_link SET url = %s, revision = nextval(pg_get_serial_sequence('dateline_link', 'revision'))"
            " WHERE origin_id = %s AND number = 0",
            [url, post.origin_id],
        )
    return True


def _locked(post_id: int) -> Post:
    account_id = Post.objects.values_list("account_id", flat=True).get(id=post_id)
    Account.objects.select_for_update(no_key=True).get(id=account_id)
    found = Post.objects.select_for_update(of=("self",)).select_related("account", "article__source")
    return found.get(id=post_id)
