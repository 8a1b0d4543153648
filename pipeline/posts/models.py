"""Social accounts and what they say."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from pipeline.articles.models import Article
from pipeline.engagement.models import Origin


class Account(models.Model):
    """An identity on a network. Credentials are sealed (kernel/secrets.py) and bound to this row's key."""

    class State(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"
        BROKEN = "broken"  #: the network refuses our credentials

    network = models.CharField(max_length=12)
    handle = models.CharField(max_length=120)
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)
    base_url = models.URLField(max_length=300, blank=True)
    credentials = models.TextField(blank=True)
    sections = models.JSONField(default=list)  #: section keys to post; empty means all
    approval = models.BooleanField(default=False)
    min_gap_s = models.PositiveIntegerField(default=0)
    stale_after_s = models.PositiveIntegerField(default=6 * 3600)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["network", "handle"], name="account_once")]

    def __str__(self) -> str:
        return f"{self.network}/{self.handle}"


class Post(models.Model):
    """One article on one account for one purpose: the intent, and what came of it."""

    class State(models.TextChoices):
        DRAFT = "draft"
        DUE = "due"
        SENDING = "sending"  #: the intent is committed; a call may be under way
        POSTED = "posted"
        UNKNOWN = "unknown"  #: may be live: the account is read back before anything else
        REJECTED = "rejected"
        HELD = "held"
        EXPIRED = "expired"
        CANCELLED = "cancelled"
        DELETED = "deleted"

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="posts")
    purpose = models.CharField(max_length=20, default="new")
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    code = models.CharField(max_length=40, blank=True)
    params = models.JSONField(default=dict)
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    absent = models.PositiveSmallIntegerField(default=0)  #: read-backs in a row that did not find an unknown post
    origin = models.OneToOneField(Origin, null=True, on_delete=models.SET_NULL, related_name="+")
    marker = models.CharField(max_length=300, blank=True)
    remote_id = models.CharField(max_length=200, blank=True)
    remote_url = models.URLField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    posted_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["article", "account", "purpose"], name="post_once")]
        indexes: ClassVar = [models.Index(fields=["state", "due_at"], name="post_due")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.article_id} {self.state}"


class Variant(models.Model):
    """A text that could be or was posted, with the network's own measure of it."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="variants")
    tone = models.CharField(max_length=20, default="headline")
    text = models.TextField()
    length = models.PositiveIntegerField()
    chosen = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["post"], condition=models.Q(chosen=True), name="variant_chosen_once")
        ]

    def __str__(self) -> str:
        return self.text
