"""What readers did: raw events kept, counts derived, both reproducible."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from pipeline.articles.models import Article


class Origin(models.Model):
    """One thing that carried tracked links: an edition's send, a post, the popular box.

    `id` is a random 32-bit number and stands in tokens, so that nothing can be enumerated.
    """

    class Kind(models.TextChoices):
        EDITION = "edition"
        POST = "post"
        BOX = "box"

    id = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    started_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} {self.id:08x}"


class Link(models.Model):
    """Where a numbered link leads. The tracking door follows this table by `revision`."""

    revision = models.BigAutoField(primary_key=True)
    origin = models.ForeignKey(Origin, on_delete=models.CASCADE, related_name="links")
    number = models.PositiveIntegerField()
    url = models.TextField()
    kind = models.CharField(max_length=12)
    slot = models.CharField(max_length=40, blank=True)
    article = models.ForeignKey(Article, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["origin", "number"], name="link_once")]

    def __str__(self) -> str:
        return self.url


class Mode(models.TextChoices):
    """What may be kept of a reader's acts; the reader's own choice may only lower it."""

    OFF = "off"  #: links lead on, nothing is recorded
    AGGREGATE = "aggregate"  #: counted; who it was is forgotten when the day after next begins
    CONSENTED = "consented"  #: kept for the reader who agreed to it


class Event(models.Model):
    """One thing that happened at the door. Never overwritten but for its verdict, which keeps its rules.

    `id` was minted at the door (6 bytes boot, 6 bytes counter): a replay finds it taken.
    `person` is a keyed hash: of origin and ordinal for mail, of the day's salted network and agent elsewhere.
    """

    class Verdict(models.TextChoices):
        PENDING = "pending"  #: the quarantine has not passed
        HUMAN = "human"
        PREFETCH = "prefetch"
        SCANNER = "scanner"
        UNKNOWN = "unknown"

    id = models.BinaryField(primary_key=True, max_length=16)
    at = models.DateTimeField()
    kind = models.CharField(max_length=8)  #: click, open, leave, view
    # The drain takes both numbers from their tables in the statement that writes the row, and neither table loses rows
    # while the house is open: a check of each at commit was a third of the drain's time, a tree of each a tenth.
    origin = models.ForeignKey(
        Origin, null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False, db_index=False
    )
    ordinal = models.BigIntegerField()
    link = models.PositiveIntegerField()
    article = models.ForeignKey(
        Article, null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False, db_index=False
    )
    channel = models.CharField(max_length=8)  #: email, social, site
    person = models.BinaryField(max_length=16)
    network = models.BinaryField(max_length=16)
    agent = models.CharField(max_length=255, blank=True)
    method = models.CharField(max_length=8)
    flags = models.PositiveIntegerField(default=0)
    verdict = models.CharField(max_length=8, choices=Verdict.choices, default=Verdict.PENDING)
    rules = models.JSONField(default=list)
    counted = models.BooleanField(default=False)
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.AGGREGATE, db_default="aggregate")
    seconds = models.PositiveSmallIntegerField(null=True)  #: of a view: how long the page was visible

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["at"], condition=models.Q(verdict="pending"), name="event_pending"),
            models.Index(fields=["origin", "ordinal", "at"], name="event_message"),
            models.Index(fields=["article", "person"], condition=models.Q(kind="click"), name="event_vote"),
            # Rows arrive by time and leave by whole days: a summary of each megabyte finds them for a few bytes, where
            # a tree would be written again with every verdict. Several spans for each, as forgetting moves rows.
            BrinIndex(fields=["at"], opclasses=["timestamptz_minmax_multi_ops"], autosummarize=True, name="event_at"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%H:%M:%S} {self.verdict}"


class Tally(models.Model):
    """Counted human clicks of one article in one minute (UNIX minute) by one channel."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="+")
    minute = models.PositiveIntegerField()
    channel = models.CharField(max_length=8)
    n = models.IntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["article", "minute", "channel"], name="tally_once")]
        indexes: ClassVar = [models.Index(fields=["minute"], name="tally_minute")]

    def __str__(self) -> str:
        return f"{self.article_id}@{self.minute}: {self.n}"


class Reading(models.Model):
    """Views of one article's page on one UTC day and how long it was visible in all, from the site's beacon."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="+")
    day = models.PositiveIntegerField()  #: days since 1970 UTC
    views = models.IntegerField()
    seconds = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["article", "day"], name="reading_once")]

    def __str__(self) -> str:
        return f"{self.article_id}@{self.day}: {self.views}"


class Report(models.Model):
    """What the events of one origin add up to, computed from them when they changed; pages read this."""

    origin = models.OneToOneField(Origin, on_delete=models.CASCADE, related_name="report")
    body = models.JSONField(default=dict)
    computed_at = models.DateTimeField(null=True)
    stale_since = models.DateTimeField(null=True)  #: an event was applied or judged again after `computed_at`

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["stale_since"], condition=~models.Q(stale_since=None), name="report_stale")
        ]

    def __str__(self) -> str:
        return f"report of {self.origin_id:08x}"


class Response(models.Model):
    """What a network says people did with a post, as last read. Never ranks: it is the network's word."""

    origin = models.ForeignKey(Origin, on_delete=models.CASCADE, related_name="responses")
    at = models.DateTimeField()
    likes = models.PositiveIntegerField(null=True)
    reposts = models.PositiveIntegerField(null=True)
    replies = models.PositiveIntegerField(null=True)
    impressions = models.PositiveIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["origin", "at"], name="response_of_origin_once")]

    def __str__(self) -> str:
        return f"{self.origin_id:08x} {self.at:%Y-%m-%d %H:%M}"


class Horizon(models.Model):
    """Events before `minute` (since 1970) are gone by retention: their tallies stand and are not counted again.

    Before `forgotten` it is no longer known whose acts they were: what a reader did then can be added to no more.
    """

    minute = models.PositiveIntegerField(default=0)
    forgotten = models.PositiveIntegerField(default=0, db_default=0)

    def __str__(self) -> str:
        return f"events since {self.minute}"


class Door(models.Model):
    """One start of one tracking process: every event of it up to `upto` is in the database, without a gap."""

    boot = models.BinaryField(primary_key=True, max_length=6)
    upto = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{bytes(self.boot).hex()} {self.upto}"


class Poison(models.Model):
    """A stream entry that could not be read: set aside, never in the way."""

    entry = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()
    body = models.BinaryField()
    error = models.CharField(max_length=300)

    def __str__(self) -> str:
        return self.entry
