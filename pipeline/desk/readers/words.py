"""What is kept of a reader, in words."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.audience.models import Consent, Import, Subscriber, Subscription, Suppression
from pipeline.delivery.models import Feedback
from pipeline.desk.words import Badge

STATES: Mapping[str, Badge] = {
    Subscriber.State.PENDING: Badge("has not confirmed", "waiting"),
    Subscriber.State.ACTIVE: Badge("active", "done"),
    Subscriber.State.ERASED: Badge("erased", "off"),
}
SUPPRESSED = {
    Suppression.Reason.BOUNCED: "mail to it came back for good, or too often",
    Suppression.Reason.COMPLAINED: "its owner reported our mail as unwanted",
    Suppression.Reason.MANUAL: "the desk or a list said so",
    Suppression.Reason.LEFT_ALL: "its owner asked us never to write again",
}
TRACKING = {
    Subscriber.Tracking.OFF: "off: links lead straight to the stories, nothing is counted",
    Subscriber.Tracking.AGGREGATE: "aggregate: clicks count as numbers, nobody’s profile grows",
    Subscriber.Tracking.CONSENTED: "consented: they let us learn which sections they read",
}
PACES = {
    Subscription.Pace.EVERY: "every edition",
    Subscription.Pace.DAILY: "once a day at most",
    Subscription.Pace.WEEKLY: "once a week at most",
}
ACTS = {
    "asked": "asked to join",
    "confirmed": "confirmed",
    "left": "left",
    "imported": "came with a list",
    "changed": "changed their choices",
    "tracking": "chose how we count",
    "asked again": "was asked whether they still want our mail",
    "stays": "said that they still want our mail",
}
FEEDBACK = {
    Feedback.Kind.HARD: Badge("came back for good", "trouble"),
    Feedback.Kind.SOFT: Badge("came back, may pass later", "needs"),
    Feedback.Kind.COMPLAINT: Badge("reported as unwanted", "trouble"),
    Feedback.Kind.DELIVERED: Badge("delivered", "done"),
    Feedback.Kind.AUTO_REPLY: Badge("answered by a machine", "off"),
    Feedback.Kind.LEFT: Badge("left through their provider", "off"),
    Feedback.Kind.OTHER: Badge("something came back", "waiting"),
}
IMPORTS: Mapping[str, Badge] = {
    Import.State.WAITING: Badge("waiting", "waiting"),
    Import.State.RUNNING: Badge("being entered", "moving"),
    Import.State.DONE: Badge("done", "done"),
    Import.State.STOPPED: Badge("stopped", "needs"),
    Import.State.FAILED: Badge("failed", "trouble"),
}


def consent(row: Consent) -> str:
    """What was said, of which newsletter, where."""
    of = f" {row.topic.name}" if row.topic else ""
    said = f": {row.wording}" if row.wording and row.act in {"changed", "tracking", "imported"} else ""
    where = f" ({row.form or row.origin})" if row.form or row.origin else ""
    return f"{ACTS.get(row.act, row.act)}{of}{said}{where}"
