"""Everybody who may come to a door, and who of them each door lets in: the words of both tables of authorisation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from pipeline.staff.models import JournalEntry, Role, User
from tests.factories import staff

#: A limited person is an editor who was given no newsletter and no account.
LIMITED = "limited"
PERSONAS = ("viewer", "social", "editor", "head", "admin", LIMITED)

NOBODY: frozenset[str] = frozenset()
EVERYBODY = frozenset(PERSONAS)  #: looks
EDITORS = frozenset({"editor", "head", "admin"})  #: acts on a newsletter's own: limits count
EDITORS_AT_LARGE = EDITORS | {LIMITED}  #: acts on what belongs to no newsletter
POSTERS = EDITORS | {"social"}  #: acts on an account's own: limits count
POSTERS_AT_LARGE = POSTERS | {LIMITED}
HEADS = frozenset({"head", "admin"})
ADMINS = frozenset({"admin"})


def person(name: str) -> User:
    """One of them."""
    user = staff.user(email=f"{name}@example.org", name=name, role=Role.EDITOR if name == LIMITED else Role(name))
    if name == LIMITED:
        User.objects.filter(id=user.id).update(is_limited=True)
        user.refresh_from_db()
    return user


@contextmanager
def undone() -> Iterator[None]:
    """Take back whatever a request did, so that the next one finds what this one found."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def acts() -> int:
    """How many acts the journal holds."""
    return JournalEntry.objects.count()
