"""Most Popular, as it stands and as editors bent it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from pipeline.articles.models import Article


class Chart(models.Model):
    """One list: a window, for the whole site or one section. `version` changes only when the list does."""

    window = models.CharField(max_length=10)
    section = models.CharField(max_length=200, blank=True)
    version = models.CharField(max_length=32)
    computed_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    bodies = models.JSONField(
        default=dict
    )  #: {"json": text, "rss": text, "html": text}: what is served, with `version`

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["window", "section"], name="chart_once")]

    def __str__(self) -> str:
        return f"{self.window} {self.section}".strip()


class Standing(models.Model):
    """A place in a chart. `value` is the integer count behind it, `window` the window it was counted in."""

    chart = models.ForeignKey(Chart, on_delete=models.CASCADE, related_name="standings")
    place = models.PositiveSmallIntegerField()
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="+")
    value = models.IntegerField()
    label = models.CharField(max_length=40, blank=True)
    code = models.CharField(max_length=40, blank=True)
    counted_in = models.CharField(max_length=10)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["chart", "place"], name="standing_once")]

    def __str__(self) -> str:
        return f"{self.place}. {self.article_id}"


class Pin(models.Model):
    """An editor's hand on the list: pinned to a place or banned, until a time, for a reason."""

    class Kind(models.TextChoices):
        PIN = "pin"
        BAN = "ban"

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=4, choices=Kind.choices)
    place = models.PositiveSmallIntegerField(default=1)
    until = models.DateTimeField(null=True)
    by = models.ForeignKey("dateline.User", null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} {self.article_id}"


class Method(models.Model):
    """How this newsroom counts; one row. Whole numbers only, so that a list can be counted again to the last tie."""

    weights = models.JSONField(default=dict)  #: {"email": 1, "social": 1, "site": 1}; a missing channel weighs 1
    box_weight = models.PositiveSmallIntegerField(default=0)  #: of a click in our own Most Popular box, 0 to 1
    age_cap_days = models.PositiveIntegerField(
        null=True
    )  #: older stories stand only if pinned; null: labelled "from 2019"
    per_section = models.PositiveSmallIntegerField(default=3)  #: of one section among ten
    network_cap = models.PositiveSmallIntegerField(default=20)  #: votes of one network for one article in one hour
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"counted as of {self.changed_at:%Y-%m-%d %H:%M}"
