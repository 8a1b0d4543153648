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
    is_limited = models.BooleanField(default=False)  #: acts only on what a Grant names
    totp = models.TextField(blank=True)  #: sealed secret of the second factor; "" is none
    totp_confirmed_at = models.DateTimeField(null=True)
    totp_step = models.BigIntegerField(default=0)  #: the last time step used: a code works once
    recovery = models.JSONField(default=list)  #: hashes of unused recovery codes
    zone = models.CharField(max_length=64, blank=True)  #: "" is the newsroom's

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

    class Meta:
        indexes: ClassVar = [models.Index(fields=["subject", "subject_id"], name="journal_of_subject")]

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


class Grant(models.Model):
    """One newsletter or account a limited person may act on."""

    class Kind(models.TextChoices):
        NEWSLETTER = "newsletter"
        ACCOUNT = "account"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    object_id = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "kind", "object_id"], name="grant_once")]

    def __str__(self) -> str:
        return f"{self.user_id} may {self.kind} {self.object_id}"


class Invitation(models.Model):
    """A letter that lets someone choose a password and work here, once, until it expires."""

    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=10, choices=Role.choices)
    grants = models.JSONField(default=list)  #: [{"kind": "newsletter", "id": 3}]; empty: not limited
    token_hash = models.BinaryField(max_length=16, unique=True)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.email} as {self.role}"


class ApiToken(models.Model):
    """A key of one integration: acts as its owner, with at most `role`, until it is revoked."""

    name = models.CharField(max_length=80)
    token_hash = models.BinaryField(max_length=16, unique=True)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    role = models.CharField(max_length=10, choices=Role.choices)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class Presence(models.Model):
    """Who has a page open, and at which part of it; forgotten after a minute of silence."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    part = models.CharField(max_length=80, blank=True)
    seen_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "subject", "subject_id"], name="presence_once")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.subject} {self.subject_id}"
