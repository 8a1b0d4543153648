"""The providers we know: how anymail is set up for each, and what the keys of a transport are called."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from anymail.exceptions import AnymailNotSupportedWarning

CONNECT_S, ANSWER_S = 5.0, 60.0


class UnknownProvider(ValueError):
    """No provider of that name, or a key it needs is missing; the message says which."""


@dataclass(frozen=True, slots=True)
class Provider:
    """`needs` are the keys a transport must have, `window` how many requests are under way at once.

    `takes` maps our key names to the arguments of anymail's backend; `host` is where the API is. `wide`: whether the
    provider's documentation says that its API carries addresses whose local part is outside ASCII (RFC 6531).
    """

    name: str
    module: str
    view: str
    needs: tuple[str, ...]
    takes: Mapping[str, str]
    window: int
    host: str
    headers: Mapping[str, str]
    wide: bool = False


def _http(name: str, module: str, view: str, *, key: str, window: int, host: str, **more: Any) -> Provider:
    takes = {"api_key": key, "api_url": "api_url", **more.get("takes", {})}
    needs = ("api_key", *more.get("needs", ()))
    return Provider(name, module, view, needs, takes, window, host, more.get("headers", {}), more.get("wide", False))


#: Wide is Mailgun alone, by its manual ("Internationalization"). Amazon's API reference says that SES has no SMTPUTF8
#: and takes 7-bit addresses; of the others we found no promise, and one that guesses loses or doubles a letter.
#: Windows follow what each allows a usual account, with room for our other workers: SES 14 a second to begin with,
#: Postmark and Mailgun ask for fewer than some hundred connections, SendGrid for 10,000 requests a second, Brevo 1,000.
PROVIDERS: dict[str, Provider] = {
    provider.name: provider
    for provider in (
        Provider("ses", "amazon_ses", "AmazonSESTrackingWebhookView", ("access_key", "secret_key", "region"), {}, 8,
                 "email.{region}.amazonaws.com", {}),
        _http("mailgun", "mailgun", "MailgunTrackingWebhookView", key="api_key", window=16, host="api.mailgun.net",
              needs=("sender_domain",), takes={"sender_domain": "sender_domain"}, wide=True),
        # X-PM-KeepID: without it Postmark writes a Message-ID of its own, and a repetition could not be told.
        _http("postmark", "postmark", "PostmarkTrackingWebhookView", key="server_token", window=16,
              host="api.postmarkapp.com", takes={"message_stream": "message_stream"}, headers={"X-PM-KeepID": "true"}),
        _http("sendgrid", "sendgrid", "SendGridTrackingWebhookView", key="api_key", window=32, host="api.sendgrid.com"),
        _http("brevo", "brevo", "BrevoTrackingWebhookView", key="api_key", window=16, host="api.brevo.com"),
    )
}  # fmt: skip


def provider_of(name: str, settings: Mapping[str, str]) -> Provider:
    """Raises UnknownProvider."""
    provider = PROVIDERS.get(name)
    if provider is None:
        raise UnknownProvider(f"no provider {name!r}: {', '.join(PROVIDERS)}")
    missing = [key for key in provider.needs if not settings.get(key)]
    if missing:
        raise UnknownProvider(f"{name} needs {', '.join(missing)}")
    return provider


def backend(provider: Provider, settings: Mapping[str, str]) -> Any:
    """Anymail's backend, not yet open. It repeats nothing by itself, and follows the settings of the row alone."""
    made = import_module(f"anymail.backends.{provider.module}").EmailBackend
    asked: dict[str, Any] = {"ignore_recipient_status": True, "ignore_unsupported_features": True}
    if provider.name == "ses":
        return made(**asked, client_params=_boto(settings), configuration_set_name=settings.get("configuration_set"))
    asked |= {argument: settings[key] for key, argument in provider.takes.items() if settings.get(key)}
    with warnings.catch_warnings():
        # anymail says that it has no SendGrid account to test with any more; our contract tests hold the shape it sends.
        warnings.simplefilter("ignore", AnymailNotSupportedWarning)
        return made(**asked, timeout=(CONNECT_S, ANSWER_S))


def _boto(settings: Mapping[str, str]) -> dict[str, Any]:
    """boto3 repeats a request up to five times, after a lost answer too: it is told not to."""
    return {
        "aws_access_key_id": settings["access_key"],
        "aws_secret_access_key": settings["secret_key"],
        "region_name": settings["region"],
        "endpoint_url": settings.get("api_url") or None,
        "config": {
            "retries": {"total_max_attempts": 1},
            "connect_timeout": CONNECT_S,
            "read_timeout": ANSWER_S,
            "proxies": {},
        },
    }
