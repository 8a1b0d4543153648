"""`dateline doctor --domain`: what DNS and the relay say of our domains, against what receivers ask for."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from pipeline.channels.domain.checks import BAD, LOOK, OK, UNKNOWN, Row, as_text
from pipeline.kernel.config import Config

MARKS = {
    OK: "[green]✓ ok[/green]", LOOK: "[yellow]! look[/yellow]", BAD: "[red]✗ mend[/red]", UNKNOWN: "[dim]? unknown[/dim]",
}  # fmt: skip


def show(settings: Config, *, console: Console) -> int:
    """Print every domain; how many rows are to be mended. What could not be looked up is none of them."""
    from django.db import ProgrammingError

    from pipeline.delivery.domains import looked_at

    try:
        found = looked_at(config=settings)
    except ProgrammingError:
        console.print(
            "\nThe domains are looked at once Dateline has its tables: run `dateline up`, or `manage migrate`."
        )
        return 0
    for domain, listed in found.items():
        console.print(f"\n[bold]{domain}[/bold]")
        console.print(_table(listed))
        if records := as_text(listed):
            console.print("\nTo publish in DNS, ready to be copied:\n")
            console.print(records, markup=False, highlight=False, soft_wrap=True)
    return sum(row.level == BAD for listed in found.values() for row in listed)


def _table(listed: list[Row]) -> Table:
    table = Table(show_edge=False, box=None, padding=(0, 2))
    for title in ("", "what", "expected", "found", "what to do"):
        table.add_column(title, overflow="fold")
    for row in listed:
        table.add_row(MARKS[row.level], row.what, row.expected, row.found, row.mend)
    return table
