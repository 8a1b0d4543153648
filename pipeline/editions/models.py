"""Newsletters, their editions, and a reason for every item."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from pipeline.articles.models import Article
from pipeline.audience.models import Segment, Topic
from pipeline.engagement.models import Mode, Origin
from pipeline.staff.models import User


class Newsletter(models.Model):
    """A publication with a cadence. Editorial settings are rows edited at the desk, not environment."""

    class State(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"
        ENDED = "ended"

    class Approval(models.TextChoices):
        EDITOR = "editor"  #: a person approves
        RULES = "rules"  #: leaves by itself when preflight blocks nothing

    class Unapproved(models.TextChoices):
        HOLD = "hold"
        SEND = "send"
        LEAD = "lead"  #: only the lead story leaves

    class Kind(models.TextChoices):
        DIGEST = "digest"
        ALERT = "alert"  #: one story, at once, with brakes

    class BelowMinimum(models.TextChoices):
        SKIP = "skip"  #: no edition, and the desk is told
        SHORTEN = "shorten"  #: it leaves with fewer
        FILL = "fill"  #: evergreens, then what readers liked, make up the number
        ASK = "ask"  #: it is held for a person

    class OnKill(models.TextChoices):
        RENDER_AGAIN = "rerender"  #: what has not left is rendered without the story
        HOLD = "hold"  #: what has not left is paused for a person

    class InDoubt(models.TextChoices):
        LEAVE = "leave"  #: never resent by itself
        RESEND = "resend"  #: sent once more, with the same Message-ID

    class ReaderChoice(models.TextChoices):
        ALL = "all"  #: everybody gets every block
        FIRST = "first"  #: blocks of topics a reader follows come first
        ONLY = "only"  #: of the blocks with a topic, only those a reader follows

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.DIGEST)
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)
    masthead = models.JSONField(default=dict)
    from_name = models.CharField(max_length=120)
    from_address = models.CharField(max_length=254)
    cadence = models.JSONField(default=dict)
    approval = models.CharField(max_length=8, choices=Approval.choices, default=Approval.EDITOR)
    unapproved = models.CharField(max_length=8, choices=Unapproved.choices, default=Unapproved.HOLD)
    compose_before_s = models.PositiveIntegerField(default=2700)
    cutoff_before_s = models.PositiveIntegerField(default=1200)
    undo_s = models.PositiveIntegerField(default=90)
    late_policy = models.CharField(max_length=16, default="hold")
    late_after_s = models.PositiveIntegerField(default=4 * 3600)
    minimum = models.PositiveSmallIntegerField(default=3)
    below_minimum = models.CharField(max_length=8, choices=BelowMinimum.choices, default=BelowMinimum.SKIP)
    carry_editions = models.PositiveSmallIntegerField(default=1)  #: how many editions a story without room waits
    reader_choice = models.CharField(max_length=6, choices=ReaderChoice.choices, default=ReaderChoice.ALL)
    remembers_readers = models.BooleanField(default=False)  #: no story a reader had from another newsletter this week
    cool_down_s = models.PositiveIntegerField(default=1800)  #: between two alerts
    pace_s = models.PositiveIntegerField(default=0)  #: batches are spread over this long; 0: as fast as they go
    at_readers_clock = models.BooleanField(default=False)  #: leaves at the slot's wall-clock time in each reader's zone
    most_drift_pct = models.PositiveSmallIntegerField(default=10)  #: an audience that differs more asks a person
    on_kill = models.CharField(max_length=8, choices=OnKill.choices, default=OnKill.RENDER_AGAIN)
    in_doubt = models.CharField(max_length=8, choices=InDoubt.choices, default=InDoubt.LEAVE)
    keeps_s = models.PositiveIntegerField(default=12 * 3600)  #: after this long nobody is mailed this edition any more
    own_design = models.TextField(blank=True)  #: MJML an editor wrote, rendered in the sandbox; "" is the design's own
    segment = models.ForeignKey(
        Segment, null=True, on_delete=models.PROTECT, related_name="+"
    )  #: only these of its readers
    is_archived = models.BooleanField(default=True)  #: sent editions stand in the public archive
    tracking = models.CharField(max_length=10, choices=Mode.choices, default=Mode.AGGREGATE)
    asks_again = models.BooleanField(default=False, db_default=False)  #: readers long unseen are asked, and then rest
    reply_to = models.CharField(max_length=254, blank=True, default="", db_default="")  #: for answers; "" is the sender
    owner = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="+"
    )  #: who answers for it at the desk
    design_version = models.ForeignKey(
        "DesignVersion", null=True, on_delete=models.SET_NULL, related_name="newsletters"
    )  #: where `own_design` was taken from
    max_age_h = models.PositiveIntegerField(default=36)
    first_window_h = models.PositiveIntegerField(default=24)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @property
    def judges_silence(self) -> bool:
        """Whether readers may rest for it: never where what they do cannot be seen."""
        return self.asks_again and self.tracking == Mode.CONSENTED


class Design(models.Model):
    """A design of a newsroom's own, in versions."""

    name = models.CharField(max_length=80, unique=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class DesignVersion(models.Model):
    """A design's MJML as somebody kept it. Never changed: restoring an older one makes a newer one like it."""

    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    source = models.TextField()
    note = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["design", "number"], name="design_version_once")]

    def __str__(self) -> str:
        return f"{self.design_id} v{self.number}"


class Block(models.Model):
    """A part of a newsletter and the rule that fills it."""

    newsletter = models.ForeignKey(Newsletter, on_delete=models.CASCADE, related_name="blocks")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=10)
    title = models.CharField(max_length=80, blank=True)
    rule = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["newsletter", "position"], name="block_once")]

    def __str__(self) -> str:
        return f"{self.position} {self.kind}"


class Edition(models.Model):
    """One dated issue of a newsletter. UNIQUE(newsletter, slot): any number of schedulers make one row."""

    class State(models.TextChoices):
        PLANNED = "planned"
        COLLECTING = "collecting"
        READY = "ready"
        APPROVED = "approved"
        SENDING = "sending"
        SENT = "sent"
        SKIPPED = "skipped"
        HELD = "held"
        EXPIRED = "expired"
        CANCELLED = "cancelled"
        KILLED = "killed"

    newsletter = models.ForeignKey(Newsletter, on_delete=models.CASCADE, related_name="editions")
    slot_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    code = models.CharField(max_length=40, blank=True)  #: why it is skipped, held, expired, cancelled
    params = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=0)  #: optimistic lock: every change adds one
    subject = models.CharField(max_length=300, blank=True)
    preheader = models.CharField(max_length=300, blank=True)
    note = models.TextField(blank=True)
    edited = models.BooleanField(default=False)  #: an editor wrote subject and preheader: composing keeps them
    preflight = models.JSONField(default=list)
    origin = models.OneToOneField(Origin, null=True, on_delete=models.SET_NULL, related_name="+")
    composed_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    leaves_at = models.DateTimeField(null=True)  #: approval plus undo window, never before the slot
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["newsletter", "slot_at"], name="edition_once")]
        indexes: ClassVar = [models.Index(fields=["state", "slot_at"], name="edition_due")]

    def __str__(self) -> str:
        return f"{self.newsletter_id} {self.slot_at:%Y-%m-%d %H:%M}"


class Item(models.Model):
    """An article considered for an edition: placed with a reason, or left out with one."""

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="items")
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="+")
    block = models.ForeignKey(Block, null=True, on_delete=models.SET_NULL, related_name="+")
    position = models.PositiveSmallIntegerField(default=0)
    picked = models.BooleanField()
    code = models.CharField(max_length=40)
    params = models.JSONField(default=dict)
    label = models.CharField(max_length=40, blank=True)
    version = models.PositiveIntegerField(default=1)
    pinned = models.BooleanField(default=False)  #: a person put it where it is: composing again leaves it there
    overrides = models.JSONField(default=dict)  #: headline, standfirst, picture as an editor wrote them
    site = models.JSONField(default=dict)  #: what the site said when they did
    carried = models.PositiveSmallIntegerField(default=0)  #: editions it has waited for room

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["edition", "article"], name="item_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["article"], condition=models.Q(picked=True), name="item_picked")]

    def __str__(self) -> str:
        return f"{self.edition_id}: {self.article_id} {self.code}"


class Rendering(models.Model):
    """The bytes of an edition with its readers' slots still open; what previews and sends both start from."""

    edition = models.OneToOneField(Edition, on_delete=models.CASCADE, related_name="rendering")
    revision = models.PositiveIntegerField()
    subject = models.TextField()
    preheader = models.TextField()
    html = models.TextField()
    text = models.TextField()
    links = models.JSONField(default=list)
    parts = models.JSONField(default=list)  #: the blocks in their order: [{"block": position, "topic": slug or ""}]
    asked_at = models.DateTimeField(null=True)  #: when the sites it links to were asked whether they answer
    largest_bytes = models.PositiveIntegerField(default=0)  #: HTML of the largest message a reader can get
    rendered_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.edition_id} r{self.revision}"


class Revision(models.Model):
    """What an edition was after one person's act: undo, redo and "who changed what" read these."""

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()  #: the edition's revision after the act
    at = models.DateTimeField()
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    verb = models.CharField(max_length=40)
    body = models.JSONField(default=dict)
    undone = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["edition", "number"], name="revision_once")]

    def __str__(self) -> str:
        return f"{self.edition_id} r{self.number}: {self.verb}"
