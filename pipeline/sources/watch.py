"""Looking at what is due: claim, look, hand on what is told, and say when to look again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db.models import Q

from pipeline.articles import revise
from pipeline.articles.gates import facts
from pipeline.articles.identity import identify
from pipeline.articles.identity.identify import Seen
from pipeline.articles.models import Article
from pipeline.kernel.outbound.client import client as our_client
from pipeline.kernel.outbound.http import Client
from pipeline.kernel.queue import Job, ring
from pipeline.sources import ledger
from pipeline.sources.formats.entries import Entry
from pipeline.sources.formats.sitemaps import Robots
from pipeline.sources.ledger import Claim
from pipeline.sources.looks import courtesy, feed, rest, sitemap
from pipeline.sources.looks.asking import GAP_S, Asker, Failed, Told
from pipeline.sources.models import Channel, Observation, Source
from pipeline.sources.pushes import hints

KEEP_OBSERVATIONS = timedelta(days=14)
#: A batch of fewer known stories says nothing about the share of them that changed at once.
FEWEST_KNOWN = 20
MOST_SINCE = 300  #: stories that another list's first look may bring as news
HOST_BUSY_S = 2.0
LOOKS: dict[str, Callable[..., Told]] = {
    Channel.Kind.FEED: feed.look,
    Channel.Kind.REST: rest.look,
    Channel.Kind.SITEMAP: sitemap.look,
}


def ring_due(*, now: datetime, most: int = 200) -> int:
    """Ring for every channel that is due and that nobody looks at; how many."""
    due = Channel.objects.filter(source__state=Source.State.ACTIVE, next_due_at__lte=now)
    due = due.exclude(state=Channel.State.GONE).filter(Q(leased_until=None) | Q(leased_until__lte=now))
    ids = list(due.order_by("next_due_at").values_list("id", flat=True)[:most])
    for channel_id in ids:
        ring(Job.SOURCES_LOOK, channel_id=channel_id)
    return len(ids)


def look(*, channel_id: int, now: datetime, client: Client | None = None, gap_s: float = GAP_S) -> int | None:
    """One look at one channel; the number of new articles, or None if it was not due or is being looked at."""
    claim = ledger.claim(channel_id=channel_id, now=now)
    if claim is None:
        return None
    client = client or our_client()
    try:
        told = _told(claim, client=client, gap_s=gap_s)
    except courtesy.Later:
        ledger.postponed(claim, wait_s=HOST_BUSY_S)
        return None
    except Failed as failure:
        ledger.failed(claim, failure)
        return 0
    return _taken_in(claim, told)


def _told(claim: Claim, *, client: Client, gap_s: float) -> Told:
    """Raises Failed, and Later for a stranger's host where we are already."""
    channel, now = claim.channel, claim.now
    is_stranger = not channel.source.is_ours
    asker = Asker(client=client, now=now, lease_s=claim.lease_s, gap_s=gap_s, is_stranger=is_stranger)
    ask = LOOKS[channel.kind]
    if not is_stranger:
        return ask(channel, asker=asker, now=now)
    with courtesy.turn(channel.url, lease_s=claim.lease_s, gap_s=gap_s):
        rules = courtesy.robots_of(channel.url, client=client, now=now, gap_s=gap_s)
        if not rules.allows(channel.url):
            raise Failed("its robots.txt asks us to stay away", is_refused=True)
        told = ask(channel, asker=asker, now=now)
        return replace(told, entries=tuple(_within(rules, told.entries, url=channel.url)))


def _within(rules: Robots, entries: Iterable[Entry], *, url: str) -> Iterator[Entry]:
    """A story whose page robots.txt closes is as its channel tells it. Of other hosts' pages it says nothing."""
    host = urlsplit(url).netloc
    for entry in entries:
        is_closed = entry.link is not None and urlsplit(entry.link).netloc == host and not rules.allows(entry.link)
        yield replace(entry, is_whole=True) if is_closed else entry


def _taken_in(claim: Claim, told: Told) -> int:
    """First contact is a baseline: what is there now was there before us.

    That is so of one look only: where a worker was paused and another made it meanwhile, what came since is news.
    """
    if claim.is_baseline and not ledger.is_held(claim):
        return 0
    source_id, now = claim.channel.source_id, claim.now
    ledger.answered(claim, told)
    there_before, told_now = _parted(claim, told)
    before = identify.observe(source_id=source_id, told=there_before, now=now, baseline=True)
    seen = identify.observe(source_id=source_id, told=told_now, now=now, baseline=False)
    if told.lacking:
        revise.suspect_gone(source_id=source_id, wp_ids=told.lacking, now=now)
    if claim.is_baseline:
        return _baseline(claim, told, before, seen)
    ledger.revised(claim, share=len(seen.changed) / max(FEWEST_KNOWN, len(told.entries) - len(seen.fresh)))
    ledger.kept(claim, told, fresh=len(seen.fresh), note=told.note)
    if seen.fresh:
        published = Article.objects.filter(id__in=seen.fresh).values_list("published_at", flat=True)
        hints.found(source_id=source_id, fresh=len(seen.fresh), published=list(published), now=now)
    return len(seen.fresh)


def _parted(claim: Claim, told: Told) -> tuple[Sequence[Entry], Sequence[Entry]]:
    """(what was there before us, what may be news). Of another list's first look, what is dated since our first look
    at the source is news: no other way may have shown it yet, and a baseline would lose it."""
    if not claim.is_baseline:
        return told.archive, told.entries
    shown, began = [*told.archive, *told.entries], claim.channel.source.baseline_at
    since = [entry for entry in shown if began is not None and entry.published is not None and entry.published >= began]
    return [entry for entry in shown if entry not in since], since[:MOST_SINCE]


def _baseline(claim: Claim, told: Told, before: Seen, seen: Seen) -> int:
    channel, fresh = claim.channel, len(seen.fresh)
    if channel.kind != Channel.Kind.SITEMAP:
        Source.objects.filter(id=channel.source_id, baseline_at=None).update(baseline_at=claim.now)
    ledger.kept(claim, told, fresh=fresh, note=f"first look: {len(before.fresh)} stories were there before us")
    learn(source_id=channel.source_id, now=claim.now)
    return fresh


def learn(*, now: datetime, source_id: int | None = None) -> int:
    """Keep how many stories an hour each source usually brings, for the gate that holds bursts; how many changed."""
    known = Source.objects.exclude(baseline_at=None)
    sources = known if source_id is None else known.filter(id=source_id)
    changed = 0
    for source in sources.values("id", "baseline_at", "usual_per_hour"):
        usual = facts.usual_per_hour(source, now=now)
        if usual != source["usual_per_hour"]:
            changed += Source.objects.filter(id=source["id"]).update(usual_per_hour=usual)
    return changed


def forget(*, now: datetime) -> int:
    """Drop observations older than two weeks; how many."""
    return Observation.objects.filter(at__lt=now - KEEP_OBSERVATIONS).delete()[0]
