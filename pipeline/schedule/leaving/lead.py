"""Lead only: nobody approved the edition in time, and its newsletter lets its first story go alone."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime

from jinja2 import TemplateError

from pipeline.editions.assemble import content_of, parts_of, rendering_of
from pipeline.editions.choosing.select import Selection
from pipeline.editions.compose import facts_of
from pipeline.editions.content import EditionContent
from pipeline.editions.models import Edition, Rendering
from pipeline.editions.preflight import check
from pipeline.editions.render import UnusableTemplate
from pipeline.editions.rendered import LinkTable
from pipeline.staff.journal import note

CODE = "lead_only"


def cut_down(edition: Edition, *, now: datetime) -> bool:
    """Leave nothing but the lead in a locked edition, render and check it again; False if it cannot leave so.

    No note, popular list or advertisement goes with it: nobody has looked at them.
    """
    content = only_lead(content_of(edition))
    if content is None:
        return False
    lead = content.stories()[0]
    left = edition.items.filter(picked=True).exclude(article_id=lead.article_id or 0)
    left.update(picked=False, code=CODE, params={})
    try:
        rendered = rendering_of(edition.newsletter, content, origin_links=LinkTable())
    except (UnusableTemplate, TemplateError):
        return False
    found = check(rendered, content, facts=facts_of(edition, Selection(())))
    if found.blocked:
        return False
    edition.subject, edition.preheader, edition.note, edition.edited = rendered.subject, rendered.preheader, "", False
    edition.preflight = found.as_json()["findings"]
    Rendering.objects.update_or_create(
        edition=edition,
        defaults={
            "revision": edition.revision + 1, "subject": rendered.subject, "preheader": rendered.preheader,
            "html": rendered.html, "text": rendered.text, "links": [asdict(link) for link in rendered.links],
            "parts": parts_of(content), "largest_bytes": found.html_bytes, "rendered_at": now,
        },
    )  # fmt: skip
    note(verb=CODE, subject="edition", subject_id=edition.id, now=now, reason="nobody approved it", lead=lead.headline)
    return True


def only_lead(content: EditionContent) -> EditionContent | None:
    """The content with its first story alone; None where it has none."""
    for block in content.blocks:
        if block.stories and block.stories[0].article_id is not None:
            lead = block.stories[0]
            alone = replace(block, stories=(lead,), note="", link="")
            return replace(content, subject=lead.headline, preheader=lead.standfirst[:200], blocks=(alone,))
    return None
