"""The address of the public note on a story that was corrected or withdrawn: nobody can guess one."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.kernel.config import config
from pipeline.kernel.signing import number_in, numbered_token

_PERSON = b"dl-story-note"


def address(article_id: int) -> str:
    """Where the note of a story is: the page exists once there is something to say."""
    return f"{config().site_url}/note/{token_of(article_id, secret=config().secret_key)}"


def token_of(article_id: int, *, secret: str) -> str:
    """What names a story in a note's address."""
    return numbered_token(article_id, secret=secret, person=_PERSON)


def article_of(token: str, *, secrets: Iterable[str]) -> int | None:
    """The story a token names, None for a token we never gave out."""
    return number_in(token, secrets=secrets, person=_PERSON)
