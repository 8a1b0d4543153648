"""A letter in a design nobody has kept yet, on true stories or on those that break designs."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from jinja2 import TemplateError

from pipeline.delivery.message.mail import doors
from pipeline.desk.editions.preview import PICTURE, SCHEMES, on_screen, sealed
from pipeline.editions.assemble import masthead_of, rendering_of
from pipeline.editions.choosing.newest import trial_content
from pipeline.editions.choosing.rules import UnusableRule
from pipeline.editions.content import EditionContent
from pipeline.editions.models import Newsletter
from pipeline.editions.own.design import render_own
from pipeline.editions.own.sample import BARE, FULL, NASTY
from pipeline.editions.render import UnusableTemplate
from pipeline.editions.rendered import LinkTable, preview, sample_reader
from pipeline.kernel.config import config

NEWEST = "newest stories"
CASES = {"everything": FULL, "a headline alone": BARE, **NASTY}


def content_of(row: Newsletter, case: str) -> EditionContent:
    """The newsletter's newest stories, or one of the samples under its masthead. Raises UnusableRule."""
    if case not in CASES:
        found = trial_content(row, now=timezone.now()) if row.id else None
        return found if found and found.blocks else replace(FULL, masthead=masthead_of(row))
    sample, own = CASES[case], masthead_of(row)
    return replace(sample, masthead=own if case != "a headline alone" else sample.masthead)


def letter(row: Newsletter, *, source: str, case: str, scheme: str) -> HttpResponse:
    """The HTML a reader would get; where there is none, why."""
    try:
        content, links = content_of(row, case), LinkTable()
        made = (
            render_own(source, content, origin_links=links)
            if source
            else rendering_of(row, content, origin_links=links)
        )
    except (UnusableTemplate, UnusableRule, TemplateError) as error:
        return said(str(error))
    pictures = sorted(set(PICTURE.findall(made.html)))
    html = preview(made, doors=doors(config()), values=sample_reader(made))
    shown = on_screen(html, scheme=scheme) if scheme in SCHEMES else html
    return sealed(HttpResponse(shown, content_type="text/html; charset=utf-8"), pictures=pictures)


def said(why: str) -> HttpResponse:
    """A frame that holds a sentence instead of a letter."""
    page = format_html(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>No letter</title><p>{}</p></html>', why
    )
    return sealed(HttpResponse(page, status=422, content_type="text/html; charset=utf-8"))


def newsletter_of(asked: str) -> Newsletter:
    """The newsletter whose masthead and stories are shown; one made up where there is none."""
    rows = Newsletter.objects.exclude(state=Newsletter.State.ENDED).order_by("id")
    wanted = rows.filter(id=int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 18 else rows
    return (
        wanted.first() or rows.first() or Newsletter(slug="sample", name="Your newsletter", from_name="Your newsroom")
    )
