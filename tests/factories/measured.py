"""A pure verb in a process of its own, with what it cost."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# A child's own report: the peak that wait4() gives includes what its parent held when it was forked.
_CHILD = """
import atexit, resource, sys
def report():
    spent = resource.getrusage(resource.RUSAGE_SELF)
    peak = open("/proc/self/status").read().split("VmHWM:")[1].split()[0]
    print(f"MEASURED {spent.ru_utime + spent.ru_stime:.2f} {int(peak) / 1024:.1f}", file=sys.stderr)
atexit.register(report)
from pipeline.__main__ import main
main()
"""
HAS_PROC = Path("/proc/self/status").exists()
MOST_S, MOST_MB = 10.0, 200.0


@dataclass(frozen=True)
class Run:
    """Exit code, lines of both streams, processor seconds, and the peak of resident memory in MB."""

    code: int
    answers: list[str]
    complaints: list[str]
    cpu_s: float
    peak_mb: float

    @property
    def ends_well(self) -> bool:
        """Everything answered; or an answer missing, exit code 2 and one line that says why."""
        return (self.code, len(self.complaints)) in {(0, 0), (2, 1)} and (self.code == 2 or bool(self.answers))


def run(verb: str, *paths: Path) -> Run:
    """Run `dateline VERB PATH...`; needs /proc."""
    command = [sys.executable, "-c", _CHILD, verb, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    *complaints, measured = done.stderr.decode().strip().splitlines()
    cpu_s, peak_mb = map(float, measured.removeprefix("MEASURED ").split())
    return Run(done.returncode, done.stdout.decode().splitlines(), complaints, cpu_s, peak_mb)


def bear(verb: str, text: str, path: Path) -> None:
    """The worst input known ends well, within MOST_S of processor time and MOST_MB; what is over ten megabytes is cut."""
    path.write_bytes(text.encode()[:9_999_999])
    done = run(verb, path)
    assert done.ends_well, done.complaints
    assert done.cpu_s < MOST_S
    assert done.peak_mb < MOST_MB


def refusals(verb: str, files: list[Path]) -> int:
    """How many of these files are refused, each in one line; all others are answered."""
    left, refused = files, 0
    while left:
        done = run(verb, *left)
        assert done.ends_well, done.complaints
        assert (done.code == 2) is (len(done.answers) < len(left))
        refused += done.code == 2
        left = left[len(done.answers) + 1 :]
    return refused
