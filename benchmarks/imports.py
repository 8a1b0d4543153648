"""A list of readers into the database; peer: the same file's addresses by plain COPY into a bare table.

`IMPORT_ROWS` in the environment sets how many; the promise is about 1,000,000: memory that does not grow with them.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import engines

ROWS = int(os.environ.get("IMPORT_ROWS", "1000000"))
FIRST = 20_000  #: rows entered before memory is first looked at, so that what is loaded once is loaded


def run() -> dict[str, Any]:
    """Rows per second of both, and by how much the largest memory of the process grew while `ROWS` were entered."""
    with engines.running(), tempfile.TemporaryDirectory() as folder:
        _entered(_list(Path(folder) / "first.csv", FIRST, "first"))
        before = _peak_mb()
        file = _list(Path(folder) / "readers.csv", ROWS, "reader")
        worked = _cpu_s()
        ours, grown = _entered(file), _peak_mb() - before
        worked = tuple(after - start for after, start in zip(_cpu_s(), worked, strict=True))
        peer = _copied(file)
    rows = [
        {"what": "import-subscribers", "rows": ROWS, "rows_per_s": round(ours)},
        {"what": "COPY into a bare table", "rows": ROWS, "rows_per_s": round(peer)},
    ]
    return {
        "name": "imports",
        "rows": rows,
        "cpu_s_per_million": {
            "python": round(worked[0] * 1e6 / ROWS, 1),
            "database": round(worked[1] * 1e6 / ROWS, 1),
        },
        "peak_mb": {"before": round(before), "grown_by": round(grown)},
        "ratios": {"import / COPY": round(ours / peer, 3)},
        "promise": "1,000,000 rows with flat memory",
    }


def _list(file: Path, rows: int, name: str) -> Path:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("email", "name", "language", "joined"))
        writer.writerows(
            (f"{name}-{n}@example{n % 97}.org", f"Reader {n}", "en", "2024-05-01 10:00") for n in range(rows)
        )
    return file


def _entered(file: Path) -> float:
    from django.utils import timezone

    from pipeline.audience.imports.enter import enter
    from pipeline.audience.models import Topic

    topic, _ = Topic.objects.get_or_create(slug="brief", defaults={"name": "Brief"})
    started = time.perf_counter()
    made_in = enter(file=file, topic=topic, now=timezone.now())
    assert made_in.added == made_in.rows and not made_in.refused, f"{made_in.added} of {made_in.rows} entered"
    return int(made_in.added) / (time.perf_counter() - started)


def _copied(file: Path) -> float:
    from django.db import connection, transaction

    started, count = time.perf_counter(), 0
    with transaction.atomic(), connection.cursor() as cursor, file.open(encoding="utf-8", newline="") as handle:
        cursor.execute(
            "CREATE TEMPORARY TABLE bare (address text, name text, language text, joined text) ON COMMIT DROP"
        )
        with cursor.copy("COPY bare FROM STDIN") as copy:
            for row in csv.reader(handle):
                copy.write_row(row)
                count += 1
    return count / (time.perf_counter() - started)


def _cpu_s() -> tuple[float, float]:
    """Spent by this process and by the one that serves its connection; what a busy machine does not change."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        stat = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    fields = stat.read_text().rpartition(")")[2].split() if stat.exists() else ["0"] * 13
    return time.process_time(), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
