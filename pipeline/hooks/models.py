"""Who asked to be told, and what is on its way to them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Hook(models.Model):
    """One address that is told of events."""

    class State(models.TextChoices):
        ACTIVE = "active"
        RESTING = "resting"  #: it failed for a day: a person has to wake it
        OFF = "off"

    name = models.CharField(max_length=80)
    url = models.TextField()
    secret = models.TextField()  #: sealed
    events = models.JSONField(default=list)  #: names, as hooks/events.py lists them
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)
    failing_since = models.DateTimeField(null=True)
    last_at = models.DateTimeField(null=True)
    last_said = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Notice(models.Model):
    """One event for one hook. `id` is told with it: who hears it twice can know."""

    class State(models.TextChoices):
        PENDING = "pending"
        TOLD = "told"
        GIVEN_UP = "given up"

    hook = models.ForeignKey(Hook, on_delete=models.CASCADE, related_name="notices")
    event = models.CharField(max_length=40)
    body = models.JSONField(default=dict)
    at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    said = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["due_at"], condition=models.Q(state="pending"), name="notice_due")]

    def __str__(self) -> str:
        return f"{self.event} to {self.hook_id}"
