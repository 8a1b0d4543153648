"""What the demo shows: how far each stage is, the top five, and where to look; and whether it all happened."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from django.db.models import Count, Q
from django.utils import timezone
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pipeline.articles.models import Article
from pipeline.delivery.models import Delivery
from pipeline.demo.setting import EDITOR, PASSWORD, READERS, Script, stand_in
from pipeline.editions.models import Edition, Item
from pipeline.engagement.models import Event
from pipeline.kernel.config import Config
from pipeline.posts.models import Post
from pipeline.ranking.models import Standing
from pipeline.sources.models import Source

if TYPE_CHECKING:
    from pipeline.demo.stage import Cast

ONCE_WITHIN_S = 58.0
#: Seconds between stories: a quick start, so that a first digest has something to say.
FIRST_STORIES, QUICK_S, CALM_S = 6, 0.8, 4.0
#: A feed's dates have whole seconds: a story of the baseline's own second would count as older than it.
AFTER_BASELINE_S = 1.2
#: In one round the second digest needs news of its own, told once the first has been read.
SECOND_STORIES = 4


@dataclass(slots=True)
class Stage:
    """One step of the main job: what was counted, and when (seconds after the start) it first was."""

    name: str
    what: str
    count: int = 0
    wanted: int = 1
    at_s: float | None = None


def _stages() -> dict[str, Stage]:
    rows = (
        ("baseline", "first look: what was there before us, announced to nobody", 1),
        ("seen", "new stories noticed", 4),
        ("read", "stories read and let through the gates", 4),
        ("posted", "headlines on Agora", 4),
        ("composed", "digests composed", 1),
        ("sent", "mails accepted", READERS),
        ("opened", "people who opened", 1),
        ("clicked", "people who clicked", 1),
        ("filtered", "machines' visits kept out of the counts", 1),
        ("ranked", "stories in Most Popular by readers' choice", 3),
        ("carried", "popular stories carried by the next digest", 1),
        ("embedded", "stories in the site's Most Popular box", 1),
    )
    return {name: Stage(name, what, wanted=wanted) for name, what, wanted in rows}


@dataclass(slots=True)
class Stages:
    """Looks at the rows, tells the newsroom when to publish, and paints the board."""

    script: Script
    cast: Cast
    config: Config
    started: float
    once: bool
    stages: dict[str, Stage] = field(default_factory=_stages)
    _published: int = 0
    _next_story: float = 0.0

    def over(self) -> bool:
        """In one round: everything happened, or time is up. Otherwise only a person ends it."""
        return self.once and (self.complete() or self._elapsed() > ONCE_WITHIN_S)

    def complete(self) -> bool:
        """Whether every stage happened."""
        return all(stage.at_s is not None for stage in self.stages.values())

    def look(self) -> None:
        """Count every stage again, and let the newsroom publish."""
        for name, count in self._counts().items():
            stage = self.stages[name]
            stage.count = count
            if stage.at_s is None and count >= stage.wanted:
                stage.at_s = self._elapsed()
        self._publish()

    def _publish(self) -> None:
        """The sample newsroom writes; of a real site the newest stories stand in, because it may be quiet just now."""
        baseline_at_s = self.stages["baseline"].at_s
        if baseline_at_s is None or time.monotonic() < self._next_story:
            return
        if self._elapsed() < baseline_at_s + AFTER_BASELINE_S or self._published >= self._stories_due():
            return
        if self.cast.newsroom is not None:
            self.cast.newsroom.publish_next(timezone.now())
        else:
            stand_in(source_id=self.script.source_id, now=timezone.now())
        self._published += 1
        quick = self.once or self._published < FIRST_STORIES
        self._next_story = time.monotonic() + (QUICK_S if quick else CALM_S)

    def _stories_due(self) -> int:
        if not self.once:
            return sys.maxsize
        return FIRST_STORIES + (SECOND_STORIES if self.stages["sent"].at_s is not None else 0)

    def _elapsed(self) -> float:
        return time.monotonic() - self.started

    def _counts(self) -> dict[str, int]:
        mine = {"article__source_id": self.script.source_id}
        articles = Article.objects.filter(source_id=self.script.source_id).aggregate(
            seen=Count("id", filter=~Q(state=Article.State.BASELINE)),
            read=Count("id", filter=Q(state=Article.State.ELIGIBLE)),
            baseline=Count("id", filter=Q(state=Article.State.BASELINE)),
        )
        editions = Edition.objects.filter(newsletter_id=self.script.newsletter_id, slot_at__gte=self.script.started_at)
        events = Event.objects.filter(at__gte=self.script.started_at).aggregate(
            opened=Count("person", distinct=True, filter=Q(kind="open", verdict="human")),
            clicked=Count("person", distinct=True, filter=Q(kind="click", verdict="human")),
            filtered=Count("id", filter=Q(verdict__in=["scanner", "prefetch"])),
        )
        started = Source.objects.get(id=self.script.source_id).baseline_at is not None
        return {
            **articles,
            **events,
            "baseline": max(articles["baseline"], self.stages["baseline"].count) if started else 0,
            "posted": Post.objects.filter(state=Post.State.POSTED, **mine).count(),
            "composed": editions.filter(rendering__isnull=False).count(),
            "sent": Delivery.objects.filter(
                state=Delivery.State.ACCEPTED, send__edition__newsletter_id=self.script.newsletter_id,
                send__created_at__gte=self.script.started_at,
            ).count(),
            "ranked": Standing.objects.filter(chart__window="today", value__gt=0, **mine).count(),
            "carried": Item.objects.filter(
                edition__in=editions.filter(send__deliveries__state=Delivery.State.ACCEPTED), picked=True,
                code="popular", **mine
            ).count(),
            "embedded": self._embedded(),
        }  # fmt: skip

    def _embedded(self) -> int:
        """Links in the box as the site's own front page shows them (its server asks us for the fragment)."""
        if self.stages["ranked"].at_s is None:
            return 0
        url = self.cast.newsroom.url if self.cast.newsroom else f"{self.config.site_url}/popular.html"
        try:
            with urlopen(url, timeout=2) as answer:  # noqa: S310 - a loopback address of our own
                page: str = answer.read().decode(errors="replace")
        except OSError:
            return 0
        _, _, box = page.partition("dateline-popular")
        return box.partition("</section>")[0].count("<a ")

    def picture(self) -> RenderableType:
        """The board."""
        side = Group(self._top(), Text(), self._addresses())
        grid = Table.grid(padding=(0, 4), expand=True)
        grid.add_column(ratio=3)
        grid.add_column(ratio=4)
        grid.add_row(self._progress(), side)
        title = f"Dateline · {int(self._elapsed())} s · Ctrl-C stops everything"
        return Panel(grid, title=title, border_style="red")

    def _progress(self) -> Table:
        table = Table.grid(padding=(0, 1))
        for stage in self.stages.values():
            mark = Text("●", style="green") if stage.at_s is not None else Text("○", style="dim")
            table.add_row(mark, Text(f"{stage.count}", style="bold", justify="right"), stage.what)
        return table

    def _top(self) -> Table:
        table = Table.grid(padding=(0, 1))
        table.add_row("", Text("Most popular today", style="bold"), "")
        for row in _top_five():
            table.add_row(
                f"{row['place']}.",
                Text(row["title"], overflow="ellipsis", no_wrap=True),
                f"{row['value']}" if row["value"] else row["counted_in"],
            )
        return table

    def _addresses(self) -> Table:
        table = Table.grid(padding=(0, 1))
        for name, url in self._places():
            table.add_row(Text(name, style="dim"), Text(url, style=f"link {url}"))
        table.add_row(Text("sign in", style="dim"), f"{EDITOR}  {PASSWORD}")
        return table

    def _places(self) -> list[tuple[str, str]]:
        return [
            ("newsroom", self.cast.source_url),
            ("inbox", self.cast.inbox.url),
            ("Agora", self.cast.network.url),
            ("desk", f"{self.config.site_url}/desk/"),
            ("popular", f"{self.config.site_url}/popular.json"),
        ]

    def closing_table(self) -> Table:
        """Each stage, its count and when it was reached."""
        table = Table(title="One round of Dateline" if self.once else "What happened", title_justify="left")
        for column, side in (("", "left"), ("stage", "left"), ("count", "right"), ("after", "right")):
            table.add_column(column, justify=side)  # type: ignore[arg-type]  # rich wants its own literal
        for stage in self.stages.values():
            done = stage.at_s is not None
            mark = Text("✓", style="green") if done else Text("✗ did not happen", style="red")
            table.add_row(mark, stage.what, str(stage.count), f"{stage.at_s:.1f} s" if stage.at_s is not None else "–")
        return table


def _top_five() -> list[dict[str, Any]]:
    rows = (
        Standing.objects.filter(chart__window="today", chart__section="")
        .select_related("article")
        .order_by("place")[:5]
    )
    return [{"place": r.place, "title": r.article.headline, "value": r.value, "counted_in": r.counted_in} for r in rows]
