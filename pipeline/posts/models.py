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
    zone = models.CharField(max_length=64, default="UTC")
    rules = models.JSONField(default=dict)  #: `posts.rules.Rules`: urgency, caps, quiet hours, slots, tone, recycling
    words = models.JSONField(default=dict)  #: hashtags by section, mentions by name, words that ask for care
    template = models.TextField(blank=True)  #: an editor's own, rendered in the sandbox; "" is the network's
    budget_usd = models.DecimalField(max_digits=8, decimal_places=2, null=True)  #: for a calendar month in its zone
    app = models.CharField(max_length=80, blank=True)  #: accounts of one app share its limits
    limited_until = models.DateTimeField(null=True)  #: the network asked for patience
    token_until = models.DateTimeField(null=True)
    refreshing_until = models.DateTimeField(null=True)  #: one process refreshes a token at a time
    said = models.CharField(max_length=300, blank=True)
    capacity = models.JSONField(default=dict)  #: what the network told of itself: limit, media, at
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

    class Act(models.TextChoices):
        PUBLISH = "publish"
        REPLY = "reply"
        EDIT = "edit"
        DELETE = "delete"

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="posts")
    purpose = models.CharField(max_length=40, default="new")  #: new, correction:3, delete:new, again:2
    act = models.CharField(max_length=8, choices=Act.choices, default=Act.PUBLISH)
    about = models.ForeignKey(
        "self", null=True, on_delete=models.CASCADE, related_name="acts"
    )  #: what it answers, edits, deletes
    format = models.CharField(max_length=12, default="headline")
    is_breaking = models.BooleanField(default=False)
    cost_usd = models.DecimalField(max_digits=8, decimal_places=3, default=0)
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
    verified_at = models.DateTimeField(null=True)  #: read back and found to say what it should
    version = models.PositiveIntegerField(default=1)  #: of the article, as posted
    measured_at = models.DateTimeField(null=True)

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
    parts = models.JSONField(default=list)  #: further parts of a thread
    card = models.JSONField(default=dict)  #: title, description, picture, alt
    length = models.PositiveIntegerField()
    chosen = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["post"], condition=models.Q(chosen=True), name="variant_chosen_once")
        ]

    def __str__(self) -> str:
        return self.text


class Part(models.Model):
    """One part of a thread: posted in order, each confirmed before the next."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="thread")
    number = models.PositiveSmallIntegerField()
    text = models.TextField()
    remote_id = models.CharField(max_length=200, blank=True)
    container = models.CharField(max_length=120, blank=True)  #: a network's draft of it, to publish instead of a second
    started_at = models.DateTimeField(null=True)
    posted_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["post", "number"], name="part_once")]

    def __str__(self) -> str:
        return f"{self.post_id}/{self.number}"


class Charge(models.Model):
    """What an act on a network cost, or is reserved for: written before the call, kept whatever came of it."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="charges")
    post = models.ForeignKey(Post, null=True, on_delete=models.SET_NULL, related_name="charges")
    act = models.CharField(max_length=20)
    usd = models.DecimalField(max_digits=8, decimal_places=3)
    at = models.DateTimeField()
    key = models.CharField(max_length=80, unique=True)  #: one charge for each act, however often it is tried

    class Meta:
        indexes: ClassVar = [models.Index(fields=["account", "at"], name="charge_of_account")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.act} {self.usd}"
