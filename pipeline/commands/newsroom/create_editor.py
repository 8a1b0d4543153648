"""`dateline create-editor`: a staff account."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from pipeline.commands.unusable import UnusableInput
from pipeline.staff.models import Role, User


def run(*, email: str, name: str, role: str, password_file: Path | None) -> str:
    """Make the account; a sentence for the terminal. Raises UnusableInput."""
    if role not in Role.values:
        raise UnusableInput(f"{role!r} is no role; choose one of {', '.join(Role.values)}")
    if User.objects.filter(email=email.strip().lower()).exists():
        raise UnusableInput(f"{email} has an account already; nothing was changed")
    user = User(email=email, name=name, role=role)
    password = _password(password_file)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise UnusableInput("that password will not do: " + " ".join(error.messages)) from error
    User.objects.create_user(email, password, name=name, role=role)
    return f"{email} can sign in at the desk as {Role(role).label.lower()}."


def _password(file: Path | None) -> str:
    if file is not None:
        return file.read_text(encoding="utf-8").strip()
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    first, second = getpass.getpass("Password: "), getpass.getpass("Again: ")
    if first != second:
        raise UnusableInput("the two passwords differ; nothing was made")
    return first
