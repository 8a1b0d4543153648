"""`make chaos`: hundreds of faults over one large send. Progress while it runs, then one JSON object; 1 where a promise broke.

make chaos ARGS="--recipients 100000 --kills 200 --seed 7 --minutes 20"
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys

import django
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pipeline.settings")
django.setup()

from tests.chaos import course, faults  # noqa: E402
from tests.chaos.rig import built  # noqa: E402

#: For each this many kills one of them, beside the kills themselves.
PER_KILLS = {
    faults.flush_broker: 25,
    faults.kill_broker: 50,
    faults.half_open_broker: 50,
    faults.restart_postgres: 20,
    faults.stop_and_continue: 15,
    faults.reset_sink: 20,
    faults.step_clocks: 20,
}


def chosen(*, kills: int, dice: random.Random) -> list[faults.Fault]:
    """Which faults in which order: of the kills a tenth take all senders, a twentieth those who sweep."""
    family, sweepers = max(1, kills // 10), max(1, kills // 20)
    found: list[faults.Fault] = [*[faults.kill_family] * family, *[faults.kill_worker] * sweepers]
    found += [faults.kill_child] * max(0, kills - len(found))
    for fault, per in PER_KILLS.items():
        found += [fault] * max(1, round(kills / per))
    dice.shuffle(found)
    return found


def main(arguments: list[str]) -> int:
    asked = _asked(arguments)
    dice = random.Random(asked.seed)
    order = chosen(kills=asked.kills, dice=dice)
    console = Console(stderr=True)
    console.print(f"{asked.recipients:,} readers, {len(order)} faults ({asked.kills} kill -9), seed {asked.seed}")
    with built(workers=asked.workers, delay_ms=asked.delay_ms) as rig:
        rig.start()
        rig.send_off(readers=asked.recipients, batch_size=asked.batch)
        with _progress(console) as progress:
            task = progress.add_task("taken", total=asked.recipients)
            told = course.run(
                rig, order, dice=dice, within_s=asked.minutes * 60, say=lambda n: progress.update(task, completed=n)
            )
    asked_for = {"recipients": asked.recipients, "seed": asked.seed}
    sys.stdout.write(json.dumps({**asked_for, **told.summary}, indent=1) + "\n")
    for complaint in told.complaints:
        console.print(f"[red]{complaint}[/red]")
    return 1 if told.complaints else 0


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description="faults over one large send")
    parser.add_argument("--recipients", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=30, help="after which it is given up")
    parser.add_argument("--workers", type=int, default=4, help="sending processes")
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--delay-ms", type=float, default=20, help="what the mail server takes for a message")
    return parser.parse_args(arguments)


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
