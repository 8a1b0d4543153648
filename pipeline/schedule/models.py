"""Checks made before a slot and after it, once each."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from pipeline.editions.models import Edition


class Check(models.Model):
    """One look at whether an edition can leave in time: `mark` is minutes before the slot, negative after it."""

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="checks")
    mark = models.SmallIntegerField()
    at = models.DateTimeField()
    findings = models.JSONField(default=list)
    is_red = models.BooleanField(default=False)
    told_at = models.DateTimeField(null=True)  #: when somebody was told of it

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["edition", "mark"], name="check_once")]

    def __str__(self) -> str:
        return f"{self.edition_id} T-{self.mark}"
