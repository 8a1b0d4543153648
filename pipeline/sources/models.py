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
    poll_s = models.PositiveIntegerField(default=120)
    usual_per_hour = models.PositiveIntegerField(default=0)  #: stories an hour that surprise nobody; 0: not known yet
    baseline_at = models.DateTimeField(null=True)
    cautious_until = models.DateTimeField(null=True)
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

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="channels")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.FEED)
    url = models.URLField(max_length=1000)
    etag = models.CharField(max_length=500, blank=True)
    last_modified = models.CharField(max_length=100, blank=True)
    body_hash = models.CharField(max_length=64, blank=True)
    next_due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
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
