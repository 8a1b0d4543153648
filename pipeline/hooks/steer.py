"""What a person does to a hook: pause, wake, remove, try it, tell a notice again. The caller keeps the journal."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from pipeline.hooks.models import Hook, Notice
from pipeline.kernel.outbound.client import client as guarded
from pipeline.kernel.outbound.http import Client, FetchError
from pipeline.kernel.queue import Job, wake

PING = "ping"  #: told to a hook whatever it chose, when a person tries it


class Refused(Exception):
    """Why nothing was changed."""


def judge(url: str, *, client: Client | None = None) -> None:
    """Raises Refused for an address we would never talk to; what it becomes later is judged at every post."""
    try:
        (client or guarded()).judge(url)
    except FetchError as error:
        raise Refused(f"{error}. A hook must be on the public internet, on port 443 or 80.") from error


def pause(hook_id: int) -> bool:
    """Tell it nothing; what happens meanwhile is not told later either. False where it was paused."""
    return bool(Hook.objects.filter(id=hook_id).exclude(state=Hook.State.OFF).update(state=Hook.State.OFF))


def rouse(hook_id: int) -> bool:
    """Tell it again, beginning with what still waits. False where it was awake."""
    asleep = Hook.objects.filter(id=hook_id).exclude(state=Hook.State.ACTIVE)
    done = asleep.update(state=Hook.State.ACTIVE, failing_since=None)
    if done:
        wake(Job.HOOKS_DELIVER)
    return bool(done)


def remove(hook_id: int) -> bool:
    """Forget it with its secret and its notices."""
    return bool(Hook.objects.filter(id=hook_id).delete()[0])


@transaction.atomic
def ping(hook_id: int, *, now: datetime) -> Notice:
    """A notice that says nothing, to see whether it is taken. Raises Refused where the hook is not awake."""
    hook = Hook.objects.select_for_update().get(id=hook_id)
    if hook.state != Hook.State.ACTIVE:
        raise Refused("It is not awake, so nothing is told to it. Wake it first; nothing was sent.")
    made = Notice.objects.create(hook=hook, event=PING, body={}, at=now, due_at=now)
    wake(Job.HOOKS_DELIVER)
    return made


@transaction.atomic
def repeat(notice_id: int, *, now: datetime) -> Notice:
    """Tell a notice that was given up once more, under the id it had. Raises Refused."""
    notice = Notice.objects.select_for_update().select_related("hook").get(id=notice_id)
    if notice.state != Notice.State.GIVEN_UP:
        raise Refused("It is told already, or is being told. Nothing was changed.")
    if notice.hook.state != Hook.State.ACTIVE:
        raise Refused("Its hook is not awake. Wake it first; nothing was changed.")
    notice.state, notice.tries, notice.due_at, notice.leased_until = Notice.State.PENDING, 0, now, None
    notice.save(update_fields=["state", "tries", "due_at", "leased_until"])
    wake(Job.HOOKS_DELIVER)
    return notice
