"""What a provider's webhook tells, checked and in one shape: anymail reads it, its signature or our secret vouches for it."""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib import import_module
from typing import Any

from anymail.exceptions import AnymailError, AnymailNotSupportedWarning, AnymailWebhookValidationFailure
from django.http import HttpRequest

from pipeline.channels.base import Permanent
from pipeline.channels.esp import sns
from pipeline.channels.esp.providers import PROVIDERS

_LOCK = threading.Lock()


class NotSigned(Exception):
    """The provider did not sign this with the key we were given."""


class Unreadable(Exception):
    """Not what this provider posts."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event as the provider tells it.

    `event_id` is "" where the provider has none, or another one for each attempt. `lasts` is its own word on a bounce:
    True for good, False for now, None where it does not say. `by_machine`: it says that no person opened or clicked.
    """

    event_type: str
    reject_reason: str
    event_id: str
    message_id: str
    recipient: str
    said: str
    delivery: int | None
    at: datetime | None
    lasts: bool | None
    url: str = ""
    by_machine: bool = False


def told(request: HttpRequest, *, provider: str, settings: Mapping[str, str], fetch: sns.Fetch) -> list[Told]:
    """The events of one request. Raises NotSigned or Unreadable, and Permanent for a key of ours that is none."""
    try:
        view = _view(provider, settings.get("webhook_key", ""), settings.get("api_key", ""))
    except ValueError as error:
        raise Permanent(f"the webhook key of {provider} cannot be used: {error}"[:300]) from error
    try:
        view.run_validators(request)
        if provider == "ses" and _of_amazon(request, settings, fetch=fetch):
            return []
        return [_plain(event, provider) for event in view.parse_events(request)]
    except (AnymailWebhookValidationFailure, sns.NotAmazon) as error:
        raise NotSigned(str(error)) from error
    except (AnymailError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}"[:300]) from error


def _of_amazon(request: HttpRequest, settings: Mapping[str, str], *, fetch: sns.Fetch) -> bool:
    """Check what anymail does not; True where it was a request to confirm our subscription, which is answered."""
    message = json.loads(request.body)
    if not isinstance(message, dict):
        raise sns.NotAmazon("not a message")
    topic = settings.get("topic_arn")
    if topic and message.get("TopicArn") != topic:
        raise sns.NotAmazon("another topic")
    sns.check(message, fetch=fetch)
    return sns.confirm(message, fetch=fetch)


@lru_cache(maxsize=32)
def _view(provider: str, key: str, api_key: str) -> Any:
    """Anymail's view of a provider with these keys; it is asked only to check and to read.

    A basic-auth secret of its own is named and taken away again: the secret is in our address, and without one anymail
    warns.
    """
    known = PROVIDERS[provider]
    made = getattr(import_module(f"anymail.webhooks.{known.module}"), known.view)
    known_keys: dict[str, dict[str, Any]] = {
        "mailgun": {"webhook_signing_key": key or api_key or "unset"},
        "sendgrid": {"tracking_webhook_verification_key": key or None},
        "ses": {"auto_confirm_sns_subscriptions": False},
    }
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore", AnymailNotSupportedWarning)
        view = made(webhook_secret="named:and-taken-away", **known_keys.get(provider, {}))  # noqa: S106
    view.basic_auth = []
    return view


def _plain(event: Any, provider: str) -> Told:
    return Told(
        event_type=str(event.event_type or "unknown"),
        reject_reason=str(event.reject_reason or ""),
        event_id="" if provider == "mailgun" else str(event.event_id or ""),
        message_id=str(event.message_id or ""),
        recipient=str(event.recipient or ""),
        said=" ".join(str(part) for part in (event.mta_response, event.description) if part),
        delivery=_number((event.metadata or {}).get("delivery")),
        at=event.timestamp if event.timestamp and event.timestamp.tzinfo else None,
        lasts=_lasts(event.esp_event),
        url=str(event.click_url or ""),
        by_machine=_by_machine(event.esp_event),
    )


def _number(text: object) -> int | None:
    words = str(text)
    return int(words) if words.isascii() and words.isdigit() and len(words) < 19 else None


#: What the providers call a bounce for good and one for now, in whichever field each has for it.
_LASTING = frozenset(
    {"Permanent", "permanent", "HardBounce", "BadEmailAddress", "hard_bounce", "invalid_email", "bounce"}
)
_PASSING = frozenset({"Transient", "temporary", "SoftBounce", "soft_bounce", "blocked", "Undetermined", "DnsError"})


def _lasts(esp_event: Any) -> bool | None:
    for word in _words(esp_event):
        if word in _PASSING:
            return False
        if word in _LASTING:
            return True
    return None


def _words(esp_event: Any) -> Iterator[str]:
    """The providers' own words on a bounce, the more exact first."""
    if isinstance(esp_event, Mapping):
        inner = esp_event.get("bounce")
        if isinstance(inner, Mapping):  # SES
            yield str(inner.get("bounceType"))
        yield from (str(esp_event.get(name)) for name in ("severity", "Type", "type", "event"))


#: Brevo's words for a picture that a mail program's own servers fetched.
_PROXIED = frozenset({"proxy_open", "unique_proxy_open"})


def _by_machine(esp_event: Any) -> bool:
    """SendGrid: `sg_machine_open`; Mailgun: `client-info.bot`; Brevo: the event's own name. Others have no word for it."""
    if not isinstance(esp_event, Mapping):
        return False
    inner = esp_event.get("event-data")
    client = (inner if isinstance(inner, Mapping) else esp_event).get("client-info")
    bot = client.get("bot") if isinstance(client, Mapping) else None
    return esp_event.get("sg_machine_open") is True or bool(bot) or esp_event.get("event") in _PROXIED
