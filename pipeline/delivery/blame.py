"""Whose fault refusals are: a server that turns us away for policy must not end deliveries, nor cost us readers. Pure.

A refusal for policy, content or standing (5xx x.7.x) is held back until it is clear whether one reader's own rules said
no, or a provider says no to us. It is us after IN_A_ROW of them from one provider group with nothing accepted between,
after more than OF_FIRST of the first FIRST answers of a group, or where a whole run ends with nothing else said.
Then the send is paused with the server's words, and those refused keep their place. Otherwise the few are refused, and
still not suppressed: their address is not at fault (docs/sending.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pipeline.channels.base import Outcome, Receipt

IN_A_ROW = 5
FIRST = 50
OF_FIRST = 10  #: a fifth


@dataclass(slots=True)
class _Tally:
    seen: int = 0
    blamed: int = 0
    in_a_row: int = 0


@dataclass(slots=True)
class Blame:
    """The answers of one run over a batch. `said` is the server's words once it is us."""

    said: str = ""
    accepted: bool = False
    otherwise: bool = False
    held: list[Receipt] = field(default_factory=list)
    _groups: dict[str, _Tally] = field(default_factory=dict)
    _guilty: set[str] = field(default_factory=set)

    def holds(self, receipt: Receipt) -> bool:
        """Take note of an answer; True where it is kept here and must not be recorded yet."""
        tally = self._groups.get(receipt.group)
        if tally is None:
            tally = self._groups[receipt.group] = _Tally()
        if receipt.outcome is Outcome.ACCEPTED:
            tally.seen += 1
            tally.in_a_row = 0
            self.accepted = True
        elif receipt.outcome is Outcome.POLICY:
            self._blamed(receipt, tally)
            return True
        elif receipt.code:
            tally.seen += 1
            self.otherwise = True
        return False

    def concluded(self, *, accepted_before: bool) -> Sequence[Receipt]:
        """What becomes of those held: refused, or put back where the fault is ours. Ends the run."""
        if self.held and not (self.said or self.accepted or self.otherwise or accepted_before):
            self._guilty |= {receipt.group for receipt in self.held}
            self.said = _words(self.held[-1])
        ended = [
            replace(receipt, outcome=Outcome.UNSENT if receipt.group in self._guilty else Outcome.REFUSED)
            for receipt in self.held
        ]
        self.held.clear()
        return ended

    def _blamed(self, receipt: Receipt, tally: _Tally) -> None:
        self.held.append(receipt)
        tally.seen += 1
        tally.in_a_row += 1
        tally.blamed += tally.seen <= FIRST
        if tally.in_a_row >= IN_A_ROW or tally.blamed > OF_FIRST:
            self._guilty.add(receipt.group)
            self.said = self.said or _words(receipt)


def _words(receipt: Receipt) -> str:
    whose = f"{receipt.group}: " if receipt.group else ""
    return f"{whose}{receipt.code} {receipt.enhanced} {receipt.text}".replace("  ", " ").strip()[:300]
