"""Letters to the editors of a newsletter, by the same relay as its editions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from pipeline.channels.base import Permanent
from pipeline.delivery.letters import relay
from pipeline.delivery.message import mail
from pipeline.delivery.message.headers import EditionHeaders
from pipeline.delivery.message.merge import UnusableReader, compile_program
from pipeline.editions.assemble import masthead_of
from pipeline.editions.models import Edition, Newsletter
from pipeline.editions.render import render_notice
from pipeline.editions.rendered import Rendered, sample_reader
from pipeline.kernel.config import config
from pipeline.schedule.alarms.seals import Sealed, seal
from pipeline.staff.models import Grant, Role, User
from pipeline.staff.people import may_touch

Own = Callable[[User], Mapping[str, Any]]
log = logging.getLogger("dateline.schedule")


def tell_editors(
    name: str, *, newsletter: Newsletter, facts: Mapping[str, Any], now: datetime, own: Own | None = None
) -> int:
    """Write a notice to everybody who may edit it; how many letters were taken. A relay that is away is logged, not raised.

    `own` gives what is said to one person alone, such as a link made out to them.
    """
    to = editors_of(newsletter)
    if not to:
        log.warning("%s: nobody may edit, so nobody is told (%s)", newsletter.slug, name)
        return 0
    masthead, known = masthead_of(newsletter), {"newsletter": newsletter.name, **facts}
    if own is None:
        alike = render_notice(name, masthead=masthead, facts=known)
        written = [(alike, [user.email for user in to])]
    else:
        written = [(render_notice(name, masthead=masthead, facts=known | dict(own(user))), [user.email]) for user in to]
    try:
        letters = [letter for rendered, addresses in written for letter in wrapped(rendered, addresses, now=now)]
        return relay.hand_over_all(relay.server_of(config()), letters)
    except (*relay.TROUBLE, mail.NoMailServer, Permanent) as error:
        log.warning("%s: its editors could not be told (%s): %s", newsletter.slug, name, error)
        return 0


def editors_of(newsletter: Newsletter) -> list[User]:
    """Everybody who may decide about this newsletter, by role and by what they are limited to."""
    rows = User.objects.filter(is_active=True, role__in=_EDITORS).order_by("id")
    return [user for user in rows if may_touch(user, Grant.Kind.NEWSLETTER, newsletter.id)]


_EDITORS = (Role.ADMIN, Role.HEAD, Role.EDITOR)


def review_url(edition: Edition) -> str:
    """The edition's page at the desk: what is done there is confirmed by POST, so that no scanner decides."""
    return f"{config().site_url}/desk/editions/{edition.id}"


def decide_url(edition: Edition, user: User, *, until: datetime) -> str:
    """Where this person, and nobody else, may approve or skip it without signing in: opening it decides nothing."""
    return f"{config().site_url}/desk/decide/{seal(Sealed(user.id, edition.id, until))}"


def wrapped(rendered: Rendered, to: list[str], *, now: datetime) -> Iterator[tuple[str, str, bytes]]:
    """(sender, recipient, message) for each address; one that cannot be written to is logged and left out."""
    settings = config()
    headers = EditionHeaders(
        sender_name="Dateline", sender=mail.wire_address(settings.mail_from), doors=mail.doors(settings), date=now
    )
    program, domain = compile_program(rendered, headers=headers), mail.domain_of(settings.mail_from)
    for address in to:
        wire = mail.wire_address(address)
        reader = replace(sample_reader(rendered), address=wire, message_id=f"<{uuid4().hex}@{domain}>")
        try:
            yield settings.mail_from, wire, program.message(reader)
        except UnusableReader as error:
            log.warning("no letter to %s: %s", address, error)
