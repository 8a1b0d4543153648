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
