"""The roll-call: every model of the one app. Nothing imports this but Django."""

from pipeline.articles.models import Alias, Article, Bulletin, GateCount, Hold, Section, Version
from pipeline.audience.models import Consent, Subscriber, Subscription, Suppression, Topic
from pipeline.delivery.models import Batch, Delivery, Feedback, Mailbox, Provider, Send, Transport
from pipeline.editions.models import Block, Edition, Item, Newsletter, Rendering
from pipeline.engagement.models import Door, Event, Link, Origin, Poison, Tally
from pipeline.posts.models import Account, Charge, Part, Post, Response, Variant
from pipeline.ranking.models import Chart, Pin, Standing
from pipeline.schedule.models import Check
from pipeline.sources.models import Channel, Look, Observation, Push, Source
from pipeline.staff.models import JournalEntry, Stop, User

__all__ = [
    "Account", "Alias", "Article", "Batch", "Block", "Bulletin", "Channel", "Charge", "Chart", "Check", "Consent", "Delivery", "Door", "Edition", "Event",
    "Feedback", "GateCount", "Hold", "Item", "JournalEntry", "Link", "Look", "Mailbox", "Newsletter", "Observation", "Origin", "Part", "Pin", "Poison", "Post", "Provider", "Push",
    "Rendering", "Response", "Section", "Send", "Source", "Standing", "Stop", "Subscriber", "Subscription", "Suppression", "Tally",
    "Topic", "Transport", "User", "Variant", "Version",
]  # fmt: skip
