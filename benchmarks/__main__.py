"""`make bench`: every benchmark in a process of its own; JSON a line each, then a table.

`python -m benchmarks NAME...` runs only those.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

NOT_BENCHMARKS = {"__init__", "__main__", "certificates", "door", "engines", "large_house", "sink"}
MOST_S = 600


def names() -> list[str]:
    """Every benchmark there is."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in NOT_BENCHMARKS)


def main(wanted: list[str]) -> int:
    """Run, print, and end with 1 if any benchmark failed."""
    console, results, failed = Console(), {}, 0
    for name in wanted or names():
        console.print(f"[dim]{name} ...[/dim]")
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}"], capture_output=True, text=True, timeout=MOST_S, check=False
        )
        try:
            results[name] = json.loads(done.stdout[done.stdout.index("{") :])
        except ValueError:
            failed += 1
            console.print(f"[red]{name} failed[/red]\n{done.stderr[-800:]}")
            continue
        print(json.dumps({name: results[name]}, ensure_ascii=False))
    console.print(_table(results))
    return 1 if failed else 0


def _table(results: dict[str, Any]) -> Table:
    table = Table(title="Measured in this run", title_justify="left")
    for column in ("benchmark", "figure", "value"):
        table.add_column(column)
    for name, result in results.items():
        for label, value in _figures(result):
            table.add_row(name, label, value)
    return table


def _figures(result: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    found = []
    for key, value in result.items():
        label = f"{prefix}{key}"
        if isinstance(value, dict):
            found += _figures(value, prefix=f"{label} / ")
        elif isinstance(value, list):
            for row in value:
                if isinstance(row, dict):
                    found += _figures({k: v for k, v in row.items() if k not in _LABELS}, prefix=f"{_label(row)} / ")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found.append((label, f"{value:,}"))
    return found


_LABELS = ("what", "client", "variant", "name", "server")


def _label(row: dict[str, Any]) -> str:
    return " ".join(str(row[key]) for key in _LABELS if key in row)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
