"""What is asked of a browser and what came back: state, verifier and S256 challenge (RFC 6749 4.1, RFC 7636). Pure."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit


class ConsentError(Exception):
    """No keys came of it; the message says why in one line, and never shows one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for consent. `address` is what a person opens; `verifier` is "" where the network knows no PKCE."""

    title: str
    address: str
    redirect: str
    state: str = field(repr=False)
    verifier: str = field(default="", repr=False)


def ask(*, title: str, page: str, client_id: str, redirect: str, scopes: str, pkce: bool) -> Asked:
    """A request with a state and a verifier of its own."""
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48) if pkce else ""
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect,
        "scope": scopes,
        "state": state,
    }
    if verifier:
        query |= {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
    return Asked(title=title, address=f"{page}?{urlencode(query)}", redirect=redirect, state=state, verifier=verifier)


def challenge(verifier: str) -> str:
    """S256 of a verifier (RFC 7636 4.2)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")


def code_in(answer: str, asked: Asked) -> str:
    """The code in the address that a browser was led back to. Raises ConsentError."""
    said = dict(parse_qsl(urlsplit(answer.strip()).query, keep_blank_values=True))
    if not hmac.compare_digest(said.get("state", "").encode(), asked.state.encode()):
        raise ConsentError(
            f"that answer is not to this request of {asked.title} (another state): nothing was stored; start again"
        )
    if "error" in said:
        why = " ".join((said.get("error_description") or said["error"]).split())[:200]
        raise ConsentError(f"{asked.title} was not given the consent ({why}): nothing was stored")
    if not said.get("code"):
        raise ConsentError(f"the answer of {asked.title} holds no code: nothing was stored; start again")
    return said["code"]
