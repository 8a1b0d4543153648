"""The cast of the newsroom: Ada edits, Ben looks on. (Cleo, who reads, is in `audience`.)"""

from __future__ import annotations

from pipeline.staff.models import Role, User

PASSWORD = "harbour-lantern-9"


def user(
    *,
    email: str = "ada@example.org",
    name: str = "Ada",
    role: Role = Role.EDITOR,
    password: str | None = None,
    is_active: bool = True,
) -> User:
    """Someone who works here. Without a password nobody can sign in as them, and making them is quick."""
    return User.objects.create_user(email, password, name=name, role=role, is_active=is_active)


def ada() -> User:
    """The editor."""
    return user()


def ben() -> User:
    """The viewer: may look, may not change."""
    return user(email="ben@example.org", name="Ben", role=Role.VIEWER)
