"""The letter with an invitation, and an honest word on whether it went."""

from __future__ import annotations

import logging

from django.urls import reverse

from pipeline.channels.base import MailServer, Permanent
from pipeline.delivery.letters import relay
from pipeline.delivery.message import mail
from pipeline.editions.assemble import masthead_of
from pipeline.editions.content import Masthead
from pipeline.editions.models import Newsletter
from pipeline.editions.render import render_notice
from pipeline.kernel.config import config
from pipeline.schedule.alarms import letters
from pipeline.staff.models import Invitation, Role, User

log = logging.getLogger("dateline.schedule")


def send_invitation(made: Invitation, *, token: str, inviter: User) -> str:
    """Hand the letter over now, and say what the relay said; a link that could not be mailed is given to hand over."""
    join_url = config().site_url + reverse("desk:join", kwargs={"token": token})
    facts = {
        "inviter": str(inviter), "role": Role(made.role).label.lower(), "join_url": join_url, "expires_at": made.expires_at
    }  # fmt: skip
    try:
        rendered = render_notice("invitation", masthead=_masthead(), facts=facts)
        taken = relay.hand_over_all(_server(), letters.wrapped(rendered, [made.email], now=made.created_at))
    except (*relay.TROUBLE, mail.NoMailServer, Permanent) as error:
        log.warning("an invitation was not mailed: %s", error)
        taken = 0
    if taken:
        return f"The invitation to {made.email} was taken by the mail relay. It works once, for a week."
    return f"The mail relay did not take the letter. The invitation stands: give {made.email} this link yourself: {join_url}"


def _server() -> MailServer:
    return relay.server_of(config())


def _masthead() -> Masthead:
    """The looks of the first newsletter, or of a newsroom that has none yet."""
    first = Newsletter.objects.filter(state=Newsletter.State.ACTIVE).order_by("id").first()
    if first is not None:
        return masthead_of(first)
    settings = config()
    return Masthead(
        name="Dateline", slug="dateline", publisher="Dateline", home_url=settings.site_url,
        postal_address=settings.postal_address,
    )  # fmt: skip
