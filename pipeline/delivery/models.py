"""A send, its batches, and one delivery per reader."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from pipeline.audience.models import Subscriber
from pipeline.editions.models import Edition
from pipeline.engagement.models import Origin


class Transport(models.Model):
    """A way out for mail. The environment's relay is the one named "" and needs no row."""

    class Kind(models.TextChoices):
        RELAY = "relay"  #: an SMTP server of ours
        MX = "mx"  #: straight to the readers' own servers
        ESP = "esp"  #: an e-mail service provider, through django-anymail

    class State(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"

    name = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=6, choices=Kind.choices)
    provider = models.CharField(max_length=20, blank=True)  #: ses, mailgun, postmark, sendgrid, brevo
    settings = models.BinaryField(default=bytes)  #: sealed JSON
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)
    rank = models.PositiveSmallIntegerField(default=1)  #: the lowest that answers is used
    failing_since = models.DateTimeField(null=True)
    said = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Provider(models.Model):
    """What a group of mail servers lets us do: all domains whose MX leads to it share the row."""

    transport = models.CharField(max_length=40, blank=True)
    group = models.CharField(max_length=60)
    connections = models.PositiveSmallIntegerField(default=5)
    per_minute = models.PositiveIntegerField(default=0)  #: 0: no limit of our own
    clean_since = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True)
    said = models.CharField(max_length=300, blank=True)
    warming_since = models.DateField(null=True)
    day = models.DateField(null=True)
    sent_today = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["transport", "group"], name="provider_once")]

    def __str__(self) -> str:
        return self.group


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
        ASKING = "asking"  #: the audience is not what it lately was: a person must confirm it

    edition = models.OneToOneField(Edition, on_delete=models.PROTECT, related_name="send")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    code = models.CharField(max_length=40, blank=True)
    params = models.JSONField(default=dict)
    origin = models.OneToOneField(Origin, on_delete=models.PROTECT, related_name="+")
    recipients = models.PositiveIntegerField(default=0)  #: the frozen count
    expected = models.PositiveIntegerField(null=True)  #: what lately sent editions of the newsletter had
    confirmed_by = models.ForeignKey("dateline.User", null=True, on_delete=models.SET_NULL, related_name="+")
    transport = models.CharField(max_length=40, blank=True)
    expires_at = models.DateTimeField(null=True)
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
        SUPPRESSED = "suppressed"  #: left or was suppressed since the freeze, or had all its stories this week
        CANCELLED = "cancelled"
        UNKNOWN = "unknown"  #: the final dot left us, no answer came back; listed, never resent by itself

    send = models.ForeignKey(Send, on_delete=models.CASCADE, related_name="deliveries")
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="deliveries")
    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="+")
    ordinal = models.PositiveIntegerField()
    address = models.CharField(max_length=254)  #: as it was when the audience was frozen
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    reason = models.CharField(max_length=300, blank=True)
    transport = models.CharField(max_length=40, blank=True, db_default="")
    remote_id = models.CharField(max_length=120, blank=True, db_default="")  #: the provider's own number of it
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
            ),
            # What is counted and listed by state are the few that did not simply go well: an index of those alone is
            # small, and the many that are accepted never touch it.
            models.Index(
                fields=["send", "state"],
                condition=models.Q(
                    state__in=[
                        "deferred",
                        "refused",
                        "bounced",
                        "complained",
                        "suppressed",
                        "cancelled",
                        "unknown",
                    ]
                ),
                name="delivery_apart",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.send_id}:{self.ordinal} {self.state}"


class Feedback(models.Model):
    """What came back of a delivery, as it came: by return mail, by a provider's webhook, from a feedback loop."""

    class Kind(models.TextChoices):
        HARD = "hard"
        SOFT = "soft"
        COMPLAINT = "complaint"
        DELIVERED = "delivered"
        AUTO_REPLY = "auto-reply"
        LEFT = "left"  #: a provider's own unsubscribe link
        OTHER = "other"

    class Way(models.TextChoices):
        MAILBOX = "mailbox"
        WEBHOOK = "webhook"
        ANSWER = "answer"  #: the server said it while we were connected

    event = models.CharField(max_length=120, unique=True)  #: one row for each event, however often it is told
    kind = models.CharField(max_length=12, choices=Kind.choices)
    way = models.CharField(max_length=8, choices=Way.choices)
    delivery = models.ForeignKey(Delivery, null=True, on_delete=models.SET_NULL, related_name="feedback")
    address_hash = models.BinaryField(max_length=16, db_index=True)
    reason = models.CharField(max_length=40, blank=True)
    status = models.CharField(max_length=12, blank=True)
    said = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField()
    noted_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["address_hash", "kind", "at"], name="feedback_of_reader")]

    def __str__(self) -> str:
        return f"{self.kind} {self.reason}"


class Mailbox(models.Model):
    """Where a mailbox of returned mail was read to."""

    name = models.CharField(max_length=120, unique=True)
    validity = models.CharField(max_length=40, blank=True)
    read_to = models.CharField(max_length=120, blank=True)
    leased_until = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    said = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return self.name
