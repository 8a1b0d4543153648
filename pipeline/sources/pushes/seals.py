"""The secret we share with a sender or a hub: made here, sealed in its row, opened only to check or to show once."""

from __future__ import annotations

import secrets

from pipeline.kernel.config import config
from pipeline.kernel.secrets import Sealed, seal, unseal
from pipeline.sources.models import Push

__all__ = ["Sealed", "new_secret", "secret_of"]

SECRET_BYTES = 32  #: 43 characters; WebSub allows fewer than 200 bytes


def new_secret(push: Push) -> str:
    """Make a secret, seal it into the row (which must have an id), and return it."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    push.secret = seal({"secret": secret}, secrets=config().secrets, bound_to=_place(push)).encode()
    push.save(update_fields=["secret"])
    return secret


def secret_of(push: Push) -> str:
    """The shared secret, "" where none was made. Raises Sealed where our own key has changed."""
    sealed = bytes(push.secret).decode()
    return unseal(sealed, secrets=config().secrets, bound_to=_place(push)).get("secret", "")


def _place(push: Push) -> str:
    return f"push {push.token}"
