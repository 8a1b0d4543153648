"""A digest of the newest stories there are, told or not: what a newsroom tries its way out with on the first day."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F

from pipeline.articles.models import Article
from pipeline.editions.assemble import masthead_of, story_of
from pipeline.editions.choosing.pool import rules_of
from pipeline.editions.content import EditionContent, FilledBlock
from pipeline.editions.models import Newsletter

MARK = "[Test] "
#: A letter that tries the way needs no more, however many its blocks ask for.
MOST = 12


def newest(*, most: int = MOST) -> list[Article]:
    """The newest stories that nothing speaks against, also those that were there before we watched."""
    found = Article.objects.filter(killed_at=None).exclude(
        state__in=[Article.State.KILLED, Article.State.GONE, Article.State.HELD, Article.State.DUPLICATE]
    )
    newest_first = F("published_at").desc(nulls_last=True)
    return list(found.exclude(headline="").order_by(newest_first, "-id")[:most])


def trial_content(newsletter: Newsletter, *, now: datetime) -> EditionContent:
    """The newsletter as it would look with these stories, block by block. Raises UnusableRule."""
    stories, blocks = [story_of(article) for article in newest()], []
    for rule in rules_of(newsletter):
        if rule.is_news and (taken := stories[: rule.count]):
            stories = stories[len(taken) :]
            blocks.append(FilledBlock(kind=rule.kind, title=rule.title, stories=tuple(taken), topic=rule.topic))
    lead = blocks[0].stories[0].headline if blocks else newsletter.name
    told = [story.headline for block in blocks for story in block.stories][1:3]
    return EditionContent(
        masthead=masthead_of(newsletter), slot_at=now, subject=MARK + lead, preheader=" · ".join(told),
        blocks=tuple(blocks),
    )  # fmt: skip
