"""The roll-call: every model of the one app. Nothing imports this but Django."""

from pipeline.articles.models import Alias, Article, Bulletin, GateCount, Hold, Section, Version
from pipeline.audience.models import (
    Confirmation,
    Consent,
    Import,
    ImportFault,
    Interest,
    Segment,
    Subscriber,
    Subscription,
    Suppression,
    Topic,
)
from pipeline.delivery.models import Batch, Delivery, Feedback, Mailbox, Provider, Send, Transport
from pipeline.editions.models import Block, Design, DesignVersion, Edition, Item, Newsletter, Rendering, Revision
from pipeline.engagement.models import Door, Event, Horizon, Link, Origin, Poison, Reading, Report, Response, Tally
from pipeline.hooks.models import Hook, Notice
from pipeline.posts.models import Account, Charge, Part, Post, Variant
from pipeline.ranking.models import Chart, Method, Pin, Standing
from pipeline.schedule.models import Check
from pipeline.sources.models import Channel, Look, Observation, Push, Source
from pipeline.staff.models import ApiToken, Grant, Invitation, JournalEntry, Presence, Stop, User

__all__ = [
    "Account", "Alias", "ApiToken", "Article", "Batch", "Block", "Bulletin", "Channel", "Charge", "Chart", "Check",
    "Confirmation", "Consent", "Delivery", "Design", "DesignVersion", "Door", "Edition", "Event", "Feedback", "GateCount", "Grant", "Hold",
    "Hook", "Horizon", "Import", "ImportFault", "Interest", "Invitation", "Item", "JournalEntry", "Link", "Look",
    "Mailbox", "Method", "Newsletter", "Notice", "Observation", "Origin", "Part", "Pin", "Poison", "Post", "Presence",
    "Provider", "Push", "Reading", "Rendering", "Report", "Response", "Revision", "Section", "Segment", "Send",
    "Source", "Standing", "Stop", "Subscriber", "Subscription", "Suppression", "Tally", "Topic", "Transport", "User",
    "Variant", "Version",
]  # fmt: skip
