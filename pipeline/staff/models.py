"""Staff accounts and the journal of their acts."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower


class Role(models.TextChoices):
    """What a person may do; checked in the same transaction as the act."""

    ADMIN = "admin", "Administrator"
    HEAD = "head", "Desk head"
    EDITOR = "editor", "Editor"
    SOCIAL = "social", "Social editor"
    VIEWER = "viewer", "Viewer"


class UserManager(BaseUserManager["User"]):
    """Makes users by address; there are no user names."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, **{"role": Role.ADMIN, "is_superuser": True, **fields})


class User(AbstractBaseUser, PermissionsMixin):
    """Someone who works here. Readers are Subscribers."""

    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=120, blank=True)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.EDITOR)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(Lower("email"), name="user_email_once")]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_staff(self) -> bool:
        """Whether Django's admin lets this person in."""
        return self.role == Role.ADMIN

    @property
    def may_edit(self) -> bool:
        """Whether this person may approve, skip and change editions."""
        return self.is_active and self.role in {Role.ADMIN, Role.HEAD, Role.EDITOR}


class JournalEntry(models.Model):
    """Who did what to which row, when and why. Append-only."""

    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    verb = models.CharField(max_length=40)
    subject = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    reason = models.TextField(blank=True)
    detail = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor or 'Dateline'} {self.verb} {self.subject} {self.subject_id}"


class Stop(models.Model):
    """A brake somebody pulled: while the row is here, nothing of that kind leaves."""

    class Kind(models.TextChoices):
        TELLING = "telling"  #: no article is announced
        POSTING = "posting"  #: no post leaves
        SENDING = "sending"  #: no batch of mail leaves

    kind = models.CharField(max_length=8, choices=Kind.choices, unique=True)
    at = models.DateTimeField()
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.kind} since {self.at:%Y-%m-%d %H:%M}"
