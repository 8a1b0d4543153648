"""A mail on the web, and why it came."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from pipeline.audience.models import Consent
from pipeline.audience.words import Words
from pipeline.delivery.message import mail
from pipeline.delivery.message.choices import Choice, chosen
from pipeline.delivery.message.straight import as_recorded
from pipeline.editions.render import dated
from pipeline.editions.rendered import preview
from pipeline.engagement.tokens import Kind
from pipeline.kernel.config import config
from pipeline.public.archive import copies
from pipeline.public.archive.notes import notes_of, withdrawn
from pipeline.public.archive.pages import told
from pipeline.public.leave import words_of
from pipeline.public.letters import Letter, letter_of
from pipeline.public.readers import visitors

#: A mail's own styles are inline; nothing in it may run or be sent anywhere.
MAIL_POLICY = "default-src 'none'; img-src https: http: data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"


@never_cache
@require_safe
def web_view(request: HttpRequest, token: str) -> HttpResponse:
    """The edition as this reader got it, without what was withdrawn since, and with what was corrected above it."""
    letter = _letter(token, Kind.VIEW)
    edition = letter.delivery.send.edition
    notes = notes_of(edition)
    markup = _markup(letter, gone=withdrawn(notes))
    say = visitors.language_of(request, known=letter.delivery.subscriber.language)
    values = {"say": say, "notes": [told(note, edition, say) for note in notes]}
    if markup is None:
        page = render(request, "public/letter_removed.html", values | {"name": edition.newsletter.name})
    else:
        page = HttpResponse(_topped(markup, values) if notes else markup)
        page.headers["Content-Security-Policy"] = MAIL_POLICY
    page.headers["X-Robots-Tag"] = "noindex"
    return page


def _markup(letter: Letter, *, gone: frozenset[int]) -> str | None:
    """This reader's copy, None where nothing is left of it."""
    edition, ordinal = letter.delivery.send.edition, letter.delivery.ordinal
    domain = mail.domain_of(edition.newsletter.from_address)
    identity = mail.message_id(
        secret=config().secret_key, origin=int(edition.origin_id or 0), ordinal=ordinal, domain=domain
    )
    choices = chosen(edition, batch_id=letter.delivery.batch_id)
    copy = choices.copies.get(ordinal, Choice())
    rendered = copies.shown_to(edition, withdrawn=gone, had=copy.left_out)
    if rendered is None:
        return None
    mint = mail.reader_values(edition, config=config(), unrecorded=choices.unrecorded)
    values = mint(ordinal, letter.delivery.address, identity)
    rendered = as_recorded(rendered, edition.newsletter)
    return preview(rendered, doors=mail.doors(config()), values=values, blocks=copy.blocks)


def _topped(markup: str, values: dict[str, Any]) -> str:
    head = render_to_string("public/letter_head.html", values)
    return copies.topped(markup, head=head, bar=render_to_string("public/letter_bar.html", values))


@never_cache
@require_safe
def why(request: HttpRequest, token: str) -> HttpResponse:
    """Which newsletter, since when, by which act of the reader's, in which words."""
    letter = _letter(token, Kind.LEAVE)
    reader = letter.delivery.subscriber
    say = visitors.language_of(request, known=reader.language)
    rows = reader.consents.filter(Q(topic_id=letter.topic_id) | Q(topic_id=None)).order_by("at", "id")
    values = {"say": say, "letter": words_of(letter), "evidence": [_told(row, say) for row in rows], "token": token}
    return render(request, "public/why.html", values)


def _told(row: Consent, say: Words) -> list[str]:
    """One act in sentences, the first of them what and when."""
    act = f"why.{row.act.replace(' ', '_')}"
    lines = [say(act if act in say.sentences else "why.changed", date=dated(row.at, say.language))]
    if row.act in ("changed", "tracking"):
        return [*lines, row.wording] if row.wording else lines
    facts = (("where", "place", row.origin), ("form", "form", row.form), ("network", "network", row.network))
    lines += [say(f"why.{key}", **{blank: value}) for key, blank, value in facts if value]
    if row.wording:
        lines.append(say("why.said", words=row.wording, version=row.wording_version or "–"))
    return lines


def _letter(token: str, kind: Kind) -> Letter:
    letter = letter_of(token, kind=kind)
    if letter is None:
        raise Http404("This link is not one of ours, or was cut short on its way.")
    return letter
