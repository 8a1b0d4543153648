"""A send, its batches, and one delivery per reader."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from pipeline.audience.models import Subscriber
from pipeline.editions.models import Edition
from pipeline.engagement.models import Origin


class Send(models.Model):
    """One edition going out. UNIQUE(edition): an edition is sent by one send or not at all."""

    class State(models.TextChoices):
        PLANNED = "planned"
        PREPARING = "preparing"  #: the audience is being frozen; counts are verified before it ends
        SUBMITTING = "submitting"
        PAUSED = "paused"
        SUBMITTED = "submitted"
        FAILED = "failed"
        CANCELLED = "cancelled"

    edition = models.OneToOneField(Edition, on_delete=models.PROTECT, related_name="send")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    code = models.CharField(max_length=40, blank=True)
    params = models.JSONField(default=dict)
    origin = models.OneToOneField(Origin, on_delete=models.PROTECT, related_name="+")
    recipients = models.PositiveIntegerField(default=0)  #: the frozen count
    created_at = models.DateTimeField()
    prepared_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"send of {self.edition_id}: {self.state}"


class Batch(models.Model):
    """Deliveries claimed together. `fence` grows with every claim; a stale holder can record nothing."""

    class State(models.TextChoices):
        PENDING = "pending"
        CLAIMED = "claimed"
        DONE = "done"

    send = models.ForeignKey(Send, on_delete=models.CASCADE, related_name="batches")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    lease_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0)
    host = models.CharField(max_length=80, blank=True)
    due_at = models.DateTimeField()
    rung_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["send", "number"], name="batch_once")]
        indexes: ClassVar = [models.Index(fields=["due_at"], condition=~models.Q(state="done"), name="batch_open")]

    def __str__(self) -> str:
        return f"{self.send_id}/{self.number} {self.state}"


class Delivery(models.Model):
    """One edition to one reader. UNIQUE(send, subscriber). Accepted is not delivered."""

    class State(models.TextChoices):
        PENDING = "pending"
        ACCEPTED = "accepted"  #: the next server took it
        DEFERRED = "deferred"  #: a 4xx answer; `next_try_at` says when
        REFUSED = "refused"
        BOUNCED = "bounced"
        COMPLAINED = "complained"
        SUPPRESSED = "suppressed"  #: left or was suppressed between freeze and submission
        CANCELLED = "cancelled"
        UNKNOWN = "unknown"  #: the final dot left us, no answer came back; listed, never resent by itself

    send = models.ForeignKey(Send, on_delete=models.CASCADE, related_name="deliveries")
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="deliveries")
    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="+")
    ordinal = models.PositiveIntegerField()
    address = models.CharField(max_length=254)  #: as it was when the audience was frozen
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    reason = models.CharField(max_length=300, blank=True)
    smtp_code = models.PositiveSmallIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["send", "subscriber"], name="delivery_once"),
            models.UniqueConstraint(fields=["send", "ordinal"], name="delivery_ordinal_once"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["batch", "ordinal"],
                condition=models.Q(state__in=["pending", "deferred"]),
                name="delivery_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.send_id}:{self.ordinal} {self.state}"
