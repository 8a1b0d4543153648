"""Where each network asks for consent and what a code becomes there.

X: docs.x.com OAuth 2.0 user context (a code lives 30 seconds). LinkedIn: authorization code flow. Facebook: the code
becomes a person's token, a long one, then the page's. Threads: a short token, then one of 60 days.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx

from pipeline.channels.base import ChannelError, Keys, Permanent
from pipeline.channels.calls import Caller, body_of, moment
from pipeline.channels.consent.asking import Asked, ConsentError, ask
from pipeline.channels.pages.facebook import VERSION


@dataclass(frozen=True, slots=True)
class Consent:
    """One network's way. `needs` and `may` are the app's keys; `finish(caller, keys, code, asked)` gives the account's."""

    title: str
    page: str
    tokens: str
    scopes: str
    needs: tuple[str, ...]
    finish: Callable[[Caller, Mapping[str, str], str, Asked], Keys]
    may: tuple[str, ...] = ()
    pkce: bool = False


def consent_of(network: str) -> Consent:
    """Raises ConsentError for a network that gives its keys otherwise."""
    try:
        return NETWORKS[network]
    except KeyError:
        raise ConsentError(f"{network} is not authorised in a browser; only {', '.join(NETWORKS)} are") from None


def begin(network: str, *, app: Mapping[str, str], redirect: str, base_url: str = "") -> Asked:
    """What to open. `base_url` is a server that stands in for the network. Raises ConsentError."""
    way = consent_of(network)
    if missing := [name for name in way.needs if not app.get(name)]:
        raise ConsentError(f"to authorise an account on {network} the app's {', '.join(missing)} must be given")
    return ask(
        title=way.title,
        page=base_url.rstrip("/") + urlsplit(way.page).path if base_url else way.page,
        client_id=app["client_id"],
        redirect=redirect,
        scopes=way.scopes,
        pkce=way.pkce,
    )


def finish(network: str, *, app: Mapping[str, str], code: str, asked: Asked, base_url: str = "") -> Keys:
    """The account's keys for a code, which is good once and not for long. Raises ConsentError."""
    way = consent_of(network)
    caller = Caller(title=way.title, base_url=base_url or way.tokens, judge=_judge(way.title))
    kept = {name: app[name] for name in (*way.needs, *way.may) if app.get(name)}
    try:
        return way.finish(caller, kept, code, asked)
    except ChannelError as error:
        raise ConsentError(f"{error}: nothing was stored; start again") from error


def _judge(title: str) -> Callable[..., ChannelError | None]:
    def refused(response: httpx.Response, *, writing: bool) -> ChannelError | None:  # noqa: ARG001
        if response.is_success:
            return None
        body = body_of(response)
        error = body["error"] if isinstance(body.get("error"), dict) else body
        said = (
            error.get("error_description") or error.get("message") or error.get("error_message") or error.get("error")
        )
        return Permanent(
            f"{title} does not take the code ({' '.join(str(said or response.status_code).split())[:200]})"
        )

    return refused


def _token(response: httpx.Response, *, title: str) -> dict[str, Any]:
    body = body_of(response)
    if not isinstance(body.get("access_token"), str) or not body["access_token"]:
        raise Permanent(f"{title} gave no token")
    return body


def _keys(values: Mapping[str, Any], response: httpx.Response, lasts_s: Any) -> Keys:
    until = moment(response) + timedelta(seconds=lasts_s) if isinstance(lasts_s, int) and lasts_s > 0 else None
    return Keys(values={name: str(value) for name, value in values.items() if value}, until=until)


def _form(app: Mapping[str, str], code: str, asked: Asked) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": app["client_id"],
        "redirect_uri": asked.redirect,
    }


def _x(caller: Caller, app: Mapping[str, str], code: str, asked: Asked) -> Keys:
    secret = app.get("client_secret", "")
    basic = b64encode(f"{app['client_id']}:{secret}".encode()).decode("ascii")
    headers = {"Authorization": f"Basic {basic}"} if secret else {}
    form = {**_form(app, code, asked), "code_verifier": asked.verifier}
    response = caller.ask("POST", "/2/oauth2/token", data=form, headers=headers)
    body = _token(response, title=caller.title)
    if not body.get("refresh_token"):
        raise Permanent("X gave no refresh token: the app must ask for offline.access")
    values = {**app, "access_token": body["access_token"], "refresh_token": body["refresh_token"]}
    return _keys(values, response, body.get("expires_in"))


def _linkedin(caller: Caller, app: Mapping[str, str], code: str, asked: Asked) -> Keys:
    form = {**_form(app, code, asked), "client_secret": app["client_secret"]}
    response = caller.ask("POST", "/oauth/v2/accessToken", data=form)
    body = _token(response, title=caller.title)
    values = {"access_token": body["access_token"], "organisation": app["organisation"]}
    if body.get("refresh_token"):  # approved partners only
        values |= {**app, "refresh_token": body["refresh_token"]}
    return _keys(values, response, body.get("expires_in"))


def _facebook(caller: Caller, app: Mapping[str, str], code: str, asked: Asked) -> Keys:
    known = {"client_id": app["client_id"], "client_secret": app["client_secret"]}
    route = f"/{VERSION}/oauth/access_token"
    person = _token(
        caller.ask("POST", route, data={**known, "redirect_uri": asked.redirect, "code": code}), title="Facebook"
    )
    longer = {**known, "grant_type": "fb_exchange_token", "fb_exchange_token": person["access_token"]}
    person = _token(caller.ask("POST", route, data=longer), title="Facebook")
    bearer = {"Authorization": f"Bearer {person['access_token']}"}
    page = quote(app["page"], safe="")
    response = caller.ask("GET", f"/{VERSION}/{page}?fields=access_token", headers=bearer)
    token = _token(response, title="Facebook")["access_token"]
    return _keys({"access_token": token, "page": app["page"], "app_secret": app["client_secret"]}, response, None)


def _threads(caller: Caller, app: Mapping[str, str], code: str, asked: Asked) -> Keys:
    form = {**_form(app, code, asked), "client_secret": app["client_secret"]}
    short = _token(caller.ask("POST", "/oauth/access_token", data=form), title="Threads")
    longer = {
        "grant_type": "th_exchange_token",
        "client_secret": app["client_secret"],
        "access_token": short["access_token"],
    }
    response = caller.ask("GET", f"/access_token?{urlencode(longer)}")
    body = _token(response, title="Threads")
    values = {"access_token": body["access_token"], "user": short.get("user_id")}
    return _keys(values, response, body.get("expires_in"))


NETWORKS: Mapping[str, Consent] = MappingProxyType(
    {
        "x": Consent(
            title="X",
            page="https://x.com/i/oauth2/authorize",
            tokens="https://api.x.com",
            scopes="tweet.read tweet.write users.read media.write offline.access",
            needs=("client_id",),
            may=("client_secret",),
            finish=_x,
            pkce=True,
        ),
        "linkedin": Consent(
            title="LinkedIn",
            page="https://www.linkedin.com/oauth/v2/authorization",
            tokens="https://www.linkedin.com",
            scopes="w_organization_social r_organization_social",
            needs=("client_id", "client_secret", "organisation"),
            finish=_linkedin,
        ),
        "facebook": Consent(
            title="Facebook",
            page=f"https://www.facebook.com/{VERSION}/dialog/oauth",
            tokens="https://graph.facebook.com",
            scopes="pages_show_list,pages_manage_posts,pages_read_engagement,read_insights",
            needs=("client_id", "client_secret", "page"),
            finish=_facebook,
        ),
        "threads": Consent(
            title="Threads",
            page="https://threads.net/oauth/authorize",
            tokens="https://graph.threads.net",
            scopes="threads_basic,threads_content_publish,threads_manage_insights,threads_delete,threads_read_replies",
            needs=("client_id", "client_secret"),
            finish=_threads,
        ),
    }
)
