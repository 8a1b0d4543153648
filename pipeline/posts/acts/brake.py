"""Stop all posting: one row, and a lock that waits for what is on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import DatabaseError, connection, transaction

from pipeline.posts.models import Post
from pipeline.staff.journal import note
from pipeline.staff.models import Stop, User

#: One number for the whole house: PostgreSQL's advisory locks have no names.
_WIRE = 7_308_015
#: How long a stop waits for calls under way. Whoever begins after it asked waits for it in turn.
PATIENCE_S = 20


@contextmanager
def on_the_wire() -> Iterator[None]:
    """Hold while a post is claimed and its network is called: a stop commits only when nobody does.

    The lock belongs to the connection: a worker that dies lets go of it.
    """
    _execute("SELECT pg_advisory_lock_shared(%s)")
    try:
        yield
    finally:
        _execute("SELECT pg_advisory_unlock_shared(%s)")


def is_pulled() -> bool:
    """Whether posting is stopped."""
    return Stop.objects.filter(kind=Stop.Kind.POSTING).exists()


def pull(*, actor: User | None, now: datetime, reason: str) -> bool:
    """Stop all posting: nothing leaves after this commits. True if it was not stopped before.

    What is being taken down is still taken down. A call that takes longer than PATIENCE_S is not waited for: it is
    counted in the journal, and its post shows what came of it.
    """
    with transaction.atomic():
        waited = _wait_for_the_wire()
        stop, made = Stop.objects.get_or_create(
            kind=Stop.Kind.POSTING, defaults={"at": now, "by": actor, "reason": reason}
        )
        if made:
            left = 0 if waited else Post.objects.filter(state=Post.State.SENDING).count()
            note(verb="stop", subject="posting", subject_id=stop.id, now=now, actor=actor, reason=reason, on_wire=left)
    return made


def release(*, actor: User | None, now: datetime) -> bool:
    """Let go of the brake: what waited leaves by its rules, spread out, or expires. True if it was pulled."""
    with transaction.atomic():
        gone, _ = Stop.objects.filter(kind=Stop.Kind.POSTING).delete()
        if gone:
            note(verb="resume", subject="posting", subject_id=0, now=now, actor=actor)
    return bool(gone)


def _wait_for_the_wire() -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{PATIENCE_S}s"])
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_WIRE])
            cursor.execute("SELECT set_config('lock_timeout', '0', true)")
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") != "55P03":  # lock_not_available
            raise
        return False
    return True


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [_WIRE])
