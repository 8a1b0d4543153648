"""Readers and their choices."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Topic(models.Model):
    """What a reader follows: a newsletter, or a section across newsletters."""

    class Kind(models.TextChoices):
        NEWSLETTER = "newsletter"
        SECTION = "section"

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.NEWSLETTER)
    about = models.CharField(max_length=300, blank=True)  #: what readers are told when they choose
    is_offered = models.BooleanField(default=True)  #: stands on the sign-up and preference pages
    per_week = models.FloatField(default=0)  #: mails a week, as its newsletter plans them; told to readers

    def __str__(self) -> str:
        return self.name


class Subscriber(models.Model):
    """A reader. `address_hash` is the keyed hash suppressions are kept under."""

    class State(models.TextChoices):
        PENDING = "pending"  #: asked to join, has not confirmed
        ACTIVE = "active"
        ERASED = "erased"

    class Tracking(models.TextChoices):
        OFF = "off"
        AGGREGATE = "aggregate"
        CONSENTED = "consented"

    address = models.CharField(max_length=254, unique=True)
    address_hash = models.BinaryField(max_length=16, db_index=True)
    name = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    language = models.CharField(max_length=12, default="en")
    zone = models.CharField(max_length=64, default="UTC")
    wants_at = models.TimeField(null=True)  #: on the reader's clock, for newsletters that keep readers' clocks
    tracking = models.CharField(
        max_length=10, choices=Tracking.choices, default=Tracking.AGGREGATE, db_default="aggregate"
    )
    tracking_at = models.DateTimeField(null=True)  #: when the reader last said so
    last_human_at = models.DateTimeField(null=True)  #: the last day a person was seen here: click, reply, choice
    asked_again_at = models.DateTimeField(null=True)  #: when we asked whether they still want our mail
    joined_at = models.DateTimeField(null=True)  #: first confirmation
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.address


class Subscription(models.Model):
    """One reader's choice of one topic; a row that ended keeps its end."""

    class Pace(models.TextChoices):
        EVERY = "every"
        DAILY = "daily"
        WEEKLY = "weekly"

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="subscriptions")
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="subscriptions")
    since = models.DateTimeField()
    left_at = models.DateTimeField(null=True)
    pace = models.CharField(max_length=8, choices=Pace.choices, default=Pace.EVERY, db_default="every")
    paused_until = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)  #: slot of the last edition this reader was frozen into, for the dial

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["subscriber", "topic"], name="subscription_once")]
        indexes: ClassVar = [
            models.Index(fields=["topic", "subscriber"], condition=models.Q(left_at=None), name="subscription_live"),
            models.Index(fields=["topic", "left_at"], condition=~models.Q(left_at=None), name="subscription_left"),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber_id} follows {self.topic_id}"


class Consent(models.Model):
    """Evidence of a choice: what was said, where and when. Append-only."""

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="consents")
    topic = models.ForeignKey(Topic, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()
    act = models.CharField(max_length=20)  #: asked, confirmed, left, imported, changed, tracking, asked again
    origin = models.CharField(max_length=120)
    wording = models.TextField(blank=True)
    network = models.CharField(max_length=45, blank=True)  #: the address cut to /24 or /48
    form = models.CharField(max_length=80, blank=True)  #: which form it was
    wording_version = models.CharField(max_length=40, blank=True)

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


class Confirmation(models.Model):
    """A letter that asks whether an address is its owner's wish: works once, until it expires, by POST."""

    token_hash = models.BinaryField(max_length=16, unique=True)
    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="confirmations")
    topics = models.JSONField(default=list)  #: ids of the topics asked for
    form = models.CharField(max_length=80, blank=True)
    language = models.CharField(max_length=12, default="en")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["created_at"], condition=models.Q(sent_at=None), name="confirmation_unsent")
        ]

    def __str__(self) -> str:
        return f"confirmation of {self.subscriber_id}"


class Import(models.Model):
    """One file of readers on its way in. `position` is the row after the last one committed: a new start goes on there."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        STOPPED = "stopped"
        FAILED = "failed"

    name = models.CharField(max_length=200)
    digest = models.BinaryField(max_length=32)  #: of the file: the same file goes on where it stopped
    layout = models.CharField(max_length=12)  #: csv, tsv, xlsx, listmonk, mailchimp, ghost, mailpoet
    topic = models.ForeignKey(Topic, null=True, on_delete=models.SET_NULL, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    is_rehearsal = models.BooleanField(default=False)
    position = models.PositiveBigIntegerField(default=0)
    rows = models.PositiveBigIntegerField(null=True)
    added = models.PositiveBigIntegerField(default=0)
    known = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["digest", "topic", "is_rehearsal"], name="import_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.state}"


class ImportFault(models.Model):
    """One row that was refused, or taken with a remark, and why."""

    made_in = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="faults")
    row = models.PositiveBigIntegerField()
    given = models.CharField(max_length=254)
    code = models.CharField(max_length=40)
    params = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["made_in", "row"], name="import_fault_once")]

    def __str__(self) -> str:
        return f"row {self.row}: {self.code}"


class Interest(models.Model):
    """How often a reader who consented followed stories of a section; nobody else has a row here."""

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="interests")
    section = models.CharField(max_length=200)
    clicks = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["subscriber", "section"], name="interest_once")]

    def __str__(self) -> str:
        return f"{self.subscriber_id} reads {self.section}"


class Segment(models.Model):
    """Readers chosen by a rule in our small language (audience/segments)."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    rule = models.JSONField(default=dict)
    counted = models.PositiveIntegerField(null=True)
    counted_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
