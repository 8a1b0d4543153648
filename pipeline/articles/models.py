"""Articles as we know them, told once."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Section(models.Model):
    """A place in a site's tree, keyed by its path of slugs; labels may change."""

    source = models.ForeignKey("dateline.Source", on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    term_id = models.PositiveBigIntegerField(
        null=True
    )  #: WordPress's number, which survives a new label and a new slug
    name = models.CharField(max_length=120)
    parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="children")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "key"], name="section_once"),
            models.UniqueConstraint(fields=["source", "term_id"], name="section_term_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Article(models.Model):
    """One story, one canonical address. Only `eligible` can be announced.

    The source is named lazily: `sources` stands above this room and may not be imported (docs/decisions/0002).
    """

    class State(models.TextChoices):
        SEEN = "seen"  #: an entry told us it exists
        READ = "read"  #: its page or entry was read
        ELIGIBLE = "eligible"  #: may be announced
        BASELINE = "baseline"  #: was there when we first looked
        ARCHIVED = "archived"  #: too old to be news
        HELD = "held"  #: a person must look
        DUPLICATE = "duplicate"  #: another article is the same story
        KILLED = "killed"  #: must leave everything that has not left yet
        GONE = "gone"  #: the site answers 404 or 410

    source = models.ForeignKey("dateline.Source", on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.SEEN)
    code = models.CharField(max_length=40, blank=True)  #: why it is in this state
    params = models.JSONField(default=dict)
    url = models.URLField(max_length=2000)
    headline = models.CharField(max_length=500)
    title_key = models.CharField(max_length=40, blank=True)  #: of the folded headline, to find the same title again
    standfirst = models.TextField(blank=True)
    authors = models.JSONField(default=list)
    section = models.ForeignKey(Section, null=True, on_delete=models.SET_NULL, related_name="articles")
    section_path = models.JSONField(default=list)
    picture = models.JSONField(default=dict)
    language = models.CharField(max_length=12, blank=True)
    dateline = models.JSONField(default=dict)
    text = models.TextField(blank=True)
    related = models.JSONField(default=list)
    markers = models.JSONField(default=list)
    paywalled = models.BooleanField(default=False)
    is_evergreen = models.BooleanField(default=False)  #: an editor says that it may fill an edition at any time
    told = models.JSONField(default=dict)  #: what the best channel said, as `identify.as_told` writes it
    version = models.PositiveIntegerField(default=1)
    fingerprint = models.CharField(max_length=64, blank=True)
    likeness = models.BinaryField(default=bytes)  #: `gates.likeness.sketch` of its text
    first_seen_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    modified_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    eligible_at = models.DateTimeField(null=True)
    settles_at = models.DateTimeField(null=True)  #: when an eligible one may be told
    announced_at = models.DateTimeField(null=True)  #: when it was told; set once
    missing_at = models.DateTimeField(null=True)  #: since when its page answers 404 or 410
    killed_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["state", "-eligible_at"], name="article_eligible"),
            models.Index(fields=["source", "-first_seen_at"], name="article_newest"),
            models.Index(fields=["source", "title_key"], name="article_title"),
            models.Index(fields=["-announced_at"], name="article_announced"),
            models.Index(
                fields=["settles_at"],
                name="article_settling",
                condition=models.Q(state="eligible", announced_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.headline


class Alias(models.Model):
    """A name by which a site calls an article; two names of one article are one article."""

    source = models.ForeignKey("dateline.Source", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12)  #: wp_id, guid, url, canonical
    value = models.CharField(max_length=2000)
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="aliases")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "kind", "value"], name="alias_once")]

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


class Bulletin(models.Model):
    """What the rooms downstream must hear of an article, once for each kind and version; they ask for it by id."""

    class Kind(models.TextChoices):
        NEW = "new"
        UPDATE = "update"  #: it says something else in substance
        CORRECTION = "correction"
        RETRACTION = "retraction"
        KILL = "kill"
        GONE = "gone"

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="bulletins")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    version = models.PositiveIntegerField()
    at = models.DateTimeField(db_index=True)
    said = models.TextField(blank=True)  #: the correction in the site's own words, or the reason of a kill

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["article", "kind", "version"], name="bulletin_once"),
        ]

    def __str__(self) -> str:
        return f"{self.article_id} {self.kind} v{self.version}"


class Version(models.Model):
    """What an article said at some time; `kind` says how much changed."""

    class Kind(models.TextChoices):
        FIRST = "first"
        COSMETIC = "cosmetic"
        MATERIAL = "material"
        CORRECTION = "correction"
        RETRACTION = "retraction"

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    at = models.DateTimeField()
    fingerprint = models.CharField(max_length=64)
    headline = models.CharField(max_length=500)
    standfirst = models.TextField(blank=True)
    text = models.TextField(blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["article", "number"], name="version_once")]

    def __str__(self) -> str:
        return f"{self.article_id} v{self.number} {self.kind}"


class Hold(models.Model):
    """An article that waits for a person, and what became of it."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="holds")
    code = models.CharField(max_length=40)
    params = models.JSONField(default=dict)
    at = models.DateTimeField()
    batch = models.CharField(max_length=60, blank=True, db_index=True)  #: holds with one cause are released together
    released_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey("dateline.User", null=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"{self.article_id} {self.code}"


class GateCount(models.Model):
    """How often a gate answered for a source on a day (UTC)."""

    source = models.ForeignKey("dateline.Source", on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    state = models.CharField(max_length=10)
    code = models.CharField(max_length=40)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "day", "state", "code"], name="gate_once")]

    def __str__(self) -> str:
        return f"{self.source_id} {self.day} {self.code} {self.count}"
