"""Sites we watch, the ways we watch them, and what we saw."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.db import models


def ping_token() -> str:
    """An unguessable path for a site's pings (migrations name this callable; keep it importable here)."""
    return secrets.token_urlsafe(18)


class Source(models.Model):
    """A site. Nothing of it is announced before `baseline_at` is set by a first complete look."""

    class State(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"

    name = models.CharField(max_length=120)
    home_url = models.URLField(max_length=500, unique=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)
    zone = models.CharField(max_length=64, default="UTC")
    is_ours = models.BooleanField(default=True)  #: the site's owner agreed to be asked every minute or two
    poll_s = models.PositiveIntegerField(default=120)
    settle_s = models.PositiveIntegerField(default=60)  #: how long a story waits before it is told; 0: breaking news
    daily_budget = models.PositiveIntegerField(null=True)  #: most stories told in a day; None: no limit
    usual_per_hour = models.PositiveIntegerField(default=0)  #: stories an hour that surprise nobody; 0: not known yet
    baseline_at = models.DateTimeField(null=True)
    looks = models.PositiveIntegerField(default=0)  #: good looks so far; telling starts after the second
    generator = models.CharField(max_length=200, blank=True)
    posts_total = models.PositiveIntegerField(null=True)  #: X-WP-Total at the last look
    cautious_until = models.DateTimeField(null=True)
    cautious_because = models.CharField(max_length=80, blank=True)
    ping_token = models.CharField(max_length=40, unique=True, default=ping_token)
    created_at = models.DateTimeField()
    last_success_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return self.name


class Channel(models.Model):
    """One way to watch a source. `leased_until` is how a worker claims a look; the database's clock decides."""

    class Kind(models.TextChoices):
        FEED = "feed"
        REST = "rest"
        SITEMAP = "sitemap"

    class State(models.TextChoices):
        ACTIVE = "active"
        GONE = "gone"  #: the site answered 410: it is asked no more
        ASKING = "asking"  #: refused three times: the site's owner must be asked

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="channels")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.FEED)
    url = models.URLField(max_length=1000)
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)
    etag = models.CharField(max_length=500, blank=True)
    last_modified = models.CharField(max_length=100, blank=True)
    body_hash = models.CharField(max_length=64, blank=True)
    next_due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    modified_only = models.BooleanField(default=False)  #: its ETags never match, so only Last-Modified is sent
    moved_to = models.URLField(max_length=1000, blank=True)  #: where permanent redirects lead
    moved_since = models.DateTimeField(null=True)
    polls = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)
    last_status = models.PositiveSmallIntegerField(default=0)
    last_checked_at = models.DateTimeField(null=True)
    last_full_at = models.DateTimeField(null=True)
    last_found_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "url"], name="channel_once")]
        indexes: ClassVar = [models.Index(fields=["next_due_at"], name="channel_due")]

    def __str__(self) -> str:
        return self.url


class Push(models.Model):
    """One way a source tells us to look. The ping's path is the source's own; the others have their own `token`."""

    class Kind(models.TextChoices):
        PING = "ping"  #: XML-RPC weblogUpdates, unsigned
        WEBSUB = "websub"
        GHOST = "ghost"
        WEBHOOK = "webhook"  #: signed, generic; the WordPress connector speaks it

    class State(models.TextChoices):
        PENDING = "pending"  #: asked for, or never heard of
        ACTIVE = "active"
        BROKEN = "broken"  #: a poll found what it should have told
        ENDED = "ended"

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="pushes")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    token = models.CharField(max_length=40, unique=True, default=ping_token)
    secret = models.BinaryField(default=bytes)  #: sealed
    hub_url = models.URLField(max_length=1000, blank=True)
    topic_url = models.URLField(max_length=1000, blank=True)
    lease_until = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)
    heard_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)  #: a look it caused found something
    missed = models.PositiveIntegerField(default=0)  #: stories that polls found first, since it last delivered
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "kind", "topic_url"], name="push_once")]

    def __str__(self) -> str:
        return f"{self.source_id} {self.kind} {self.state}"


class Look(models.Model):
    """A look that a hint asked for, now or shortly after; the row goes when it has been taken."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+")
    push = models.ForeignKey(Push, null=True, on_delete=models.SET_NULL, related_name="+")
    due_at = models.DateTimeField(db_index=True)
    step_s = models.PositiveIntegerField()  #: 0: at once; 5: the trailing edge; 20 and 120: the follow-ups

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "step_s"], name="look_once")]

    def __str__(self) -> str:
        return f"{self.source_id} +{self.step_s} s"


class Observation(models.Model):
    """One look at one channel. Append-only; may repeat for ever without harm."""

    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="observations")
    at = models.DateTimeField(db_index=True)
    status = models.PositiveSmallIntegerField()
    body_hash = models.CharField(max_length=64, blank=True)
    entries = models.PositiveIntegerField(default=0)
    fresh = models.PositiveIntegerField(default=0)
    note = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.channel_id} {self.status} {self.at:%H:%M:%S}"
