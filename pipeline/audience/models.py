"""Readers and their choices."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Topic(models.Model):
    """What a reader follows: a newsletter, or a section across newsletters."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)

    def __str__(self) -> str:
        return self.name


class Subscriber(models.Model):
    """A reader. `address_hash` is the keyed hash suppressions are kept under."""

    class State(models.TextChoices):
        PENDING = "pending"  #: asked to join, has not confirmed
        ACTIVE = "active"
        ERASED = "erased"

    address = models.CharField(max_length=254, unique=True)
    address_hash = models.BinaryField(max_length=16, db_index=True)
    name = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    language = models.CharField(max_length=12, default="en")
    zone = models.CharField(max_length=64, default="UTC")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.address


class Subscription(models.Model):
    """One reader's choice of one topic; a row that ended keeps its end."""

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="subscriptions")
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="subscriptions")
    since = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["subscriber", "topic"], name="subscription_once")]
        indexes: ClassVar = [
            models.Index(fields=["topic", "subscriber"], condition=models.Q(left_at=None), name="subscription_live")
        ]

    def __str__(self) -> str:
        return f"{self.subscriber_id} follows {self.topic_id}"


class Consent(models.Model):
    """Evidence of a choice: what was said, where and when. Append-only."""

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="consents")
    topic = models.ForeignKey(Topic, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()
    act = models.CharField(max_length=20)  #: asked, confirmed, left, imported
    origin = models.CharField(max_length=120)
    wording = models.TextField(blank=True)
    network = models.CharField(max_length=45, blank=True)

    def __str__(self) -> str:
        return f"{self.act} {self.at:%Y-%m-%d}"


class Suppression(models.Model):
    """An address we do not mail, and why. Survives the subscriber: only a keyed hash is kept."""

    class Reason(models.TextChoices):
        BOUNCED = "bounced"
        COMPLAINED = "complained"
        MANUAL = "manual"
        LEFT_ALL = "left_all"

    address_hash = models.BinaryField(max_length=16, unique=True)
    reason = models.CharField(max_length=12, choices=Reason.choices)
    at = models.DateTimeField()
    detail = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.reason} since {self.at:%Y-%m-%d}"
