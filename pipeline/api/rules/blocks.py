"""The blocks of a newsletter: read with the rule of each in words, tried, set anew."""

from __future__ import annotations

from typing import Annotated, Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Router, Schema
from pydantic import AfterValidator, StringConstraints

from pipeline.api.answers import Done, Id, Line, Word, one_line, one_of, told
from pipeline.api.bearer import Asked, head_of
from pipeline.api.house.newsletters import LETTER
from pipeline.api.rules.settings import Effect, Mark, changed, effect_of
from pipeline.editions.choosing.rules import Fallback, Order, Rule, UnusableRule
from pipeline.editions.designs.placing import KINDS
from pipeline.editions.models import Block, Newsletter
from pipeline.schedule.newsletters import changing, trying

router = Router(tags=["newsletters"])
MOST = 20
Names = list[Word]
Few = Annotated[int, Field(ge=1, le=100)]


class OrderBody(Schema):
    """A sponsor's own words."""

    headline: Word = ""
    url: Word = ""
    text: Line = ""
    picture: Word = ""
    alt: Word = ""
    order: Word = ""


class RuleBody(Schema):
    """What fills a block; what is left out is as usual."""

    sections: Names = Field([], max_length=50)
    exclude: Names = Field([], max_length=50)
    topics: Names = Field([], max_length=50)
    exclude_topics: Names = Field([], max_length=50)
    sources: list[Id] = Field([], max_length=50)
    count: Few = 3
    minimum: Annotated[int, Field(ge=0, le=100)] = 0
    most_age_h: Annotated[int, Field(ge=1, le=1440)] | None = None
    per_author: Few | None = None
    per_section: Few | None = None
    order: Order = Order.NEWEST
    fallback: Fallback = Fallback.SHORTEN
    topic: Annotated[str, Field(max_length=80, pattern=r"^[\w-]*$")] = Field(
        "", description="slug of what readers follow"
    )
    story: OrderBody | None = Field(None, description="of a sponsor's block")


class PartBody(Schema):
    """A block; its place in the list is its position. Without `id` it is a new one."""

    id: Id | None = None
    kind: Annotated[str, *one_of(KINDS)]
    title: Annotated[str, StringConstraints(max_length=80), AfterValidator(one_line)] = ""
    rule: RuleBody = Field(default_factory=lambda: RuleBody.model_validate({}))

    def part(self) -> changing.Part:
        """As `changing.change_blocks` takes it: what was not said is not kept."""
        rule = self.rule.model_dump(mode="json", exclude_unset=True, exclude_none=True)
        return changing.Part(self.kind, self.title, rule, self.id)


class BlocksBody(Schema):
    """All blocks in their order, instead of those there are."""

    blocks: Annotated[list[PartBody], Field(min_length=1, max_length=MOST)]

    def parts(self) -> list[changing.Part]:
        """As `changing.change_blocks` takes them."""
        return [one.part() for one in self.blocks]


class ChangeBlocksBody(BlocksBody):
    """The blocks, what was looked at, and why."""

    seen: Mark
    reason: Line = ""


class BlockRow(Schema):
    """A block with its rule, and the rule as an editor reads it."""

    id: int
    kind: str
    title: str
    rule: dict[str, Any]
    said: str


class BlocksRow(Schema):
    """A newsletter's blocks."""

    id: int
    seen: str = Field(description="stands for all of them: send it with a change")
    blocks: list[BlockRow]


class BlocksDone(Done):
    """What came of a change, and the blocks after it."""

    blocks: BlocksRow


@router.get(f"{LETTER}/blocks", response=told(BlocksRow), summary="A newsletter's blocks")
def show_blocks(request: Asked, newsletter_id: Id) -> BlocksRow:  # noqa: ARG001
    """In their order, each with its rule as data and as a sentence, with the mark of what was seen."""
    return blocks_row(newsletter_id)


@router.post(f"{LETTER}/blocks/try", response=told(Effect), summary="Try other blocks")
def try_blocks(request: Asked, newsletter_id: Id, body: BlocksBody) -> Effect:
    """What the next five runs would carry by these blocks. Nothing is kept."""
    actor, row, now = head_of(request, newsletter_id), get_object_or_404(Newsletter, id=newsletter_id), timezone.now()
    how: dict[str, Any] = {"newsletter_id": row.id, "parts": body.parts(), "seen": "", "actor": actor, "now": now}
    return effect_of(trying.tried(row, lambda: changing.change_blocks(**how), now=now))


@router.post(f"{LETTER}/blocks/change", response=told(BlocksDone), summary="Set the blocks anew")
def change_blocks(request: Asked, newsletter_id: Id, body: ChangeBlocksBody) -> BlocksDone:
    """These, in this order, from the next draft on, if nobody changed any since they were seen."""
    actor, before = head_of(request, newsletter_id), blocks_row(newsletter_id)
    how: dict[str, Any] = {"seen": body.seen, "actor": actor, "now": timezone.now(), "reason": body.reason}
    said = changed(
        lambda: changing.change_blocks(newsletter_id=newsletter_id, parts=body.parts(), **how),
        already=lambda: _is_so(before, body), current=lambda: blocks_row(newsletter_id),
    )  # fmt: skip
    after = blocks_row(newsletter_id)
    return BlocksDone(done=after.seen != before.seen, message=said, blocks=after)


def blocks_row(newsletter_id: int) -> BlocksRow:
    """The blocks as they are now."""
    row = get_object_or_404(Newsletter, id=newsletter_id)
    return BlocksRow(id=row.id, seen=changing.mark_of_blocks(row), blocks=[_row(block) for block in row.blocks.all()])


def _row(block: Block) -> BlockRow:
    try:
        said = Rule.of(position=block.position, kind=block.kind, title=block.title, rule=block.rule).sentence()
    except UnusableRule as error:
        said = f"It cannot be read: {error}."
    return BlockRow(**{name: getattr(block, name) for name in ("id", "kind", "title", "rule")}, said=said)


def _is_so(kept: BlocksRow, body: BlocksBody) -> bool:
    wanted = [(part.kind, part.title, part.rule) for part in body.parts()]
    return wanted == [(block.kind, block.title, block.rule) for block in kept.blocks]
