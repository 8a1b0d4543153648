"""Ask pip-audit whether anything in requirements.lock has a known fault; say so if it cannot be asked.

Exit 1 only for a fault that was found. One package is asked about first, so that a machine without the
service loses seconds and not minutes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
PROBE_WITHIN_S, ALL_WITHIN_S = 25, 120


@dataclass(frozen=True, slots=True)
class Answer:
    """What pip-audit knows: how many packages it could look up, and the faults of those, a line each."""

    asked: int
    known: int
    faults: tuple[str, ...]


class Unreachable(Exception):
    """pip-audit gave no answer that can be used; the message says why."""


def ask(lock: Path, *, within_s: float) -> Answer:
    """Audit one file of pinned requirements. Raises Unreachable."""
    argv = [sys.executable, "-m", "pip_audit", "-r", str(lock), "--no-deps", "--disable-pip"]
    argv += ["--timeout", "5", "--progress-spinner", "off", "--format", "json"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=within_s, check=False)
    except subprocess.TimeoutExpired:
        raise Unreachable(f"no answer within {within_s:g} s") from None
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise Unreachable(said[-1][:200]) from None
    known = [package for package in packages if "skip_reason" not in package]
    faults = [f"{p['name']} {p['version']}: {_fault(v)}" for p in known for v in p.get("vulns", ())]
    return Answer(asked=len(packages), known=len(known), faults=tuple(faults))


def _fault(vulnerability: dict[str, Any]) -> str:
    mended = ", ".join(vulnerability.get("fix_versions", ())) or "no release yet"
    return f"{vulnerability['id']} (mended in {mended})"


def probe(lock: Path) -> None:
    """Ask about Django alone. Raises Unreachable where even that is not known."""
    found = re.search(r"^(django)==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise Unreachable("the lock holds no Django to ask about")
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as one:
        one.write(f"{found[1]}=={found[2]}\n")
        one.flush()
        if not ask(Path(one.name), within_s=PROBE_WITHIN_S).known:
            raise Unreachable("it does not know Django, so it is no service for us")


def main() -> int:
    """Print the outcome; the exit code."""
    try:
        probe(LOCK)
        answer = ask(LOCK, within_s=ALL_WITHIN_S)
    except Unreachable as reason:
        print(f"pip-audit: the service was not reachable, nothing was audited ({reason})")
        return 0
    for fault in answer.faults:
        print(f"pip-audit: {fault}")
    print(f"pip-audit: {len(answer.faults)} known faults in {answer.known} of {answer.asked} packages")
    return 1 if answer.faults else 0


if __name__ == "__main__":
    sys.exit(main())
