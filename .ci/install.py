"""Install a lock with a bar: `python .ci/install.py requirements.lock`. Standard library only: nothing else is here yet.

What pip says is kept back and shown whole only where it fails.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

WIDTH = 30
PIP = [
    sys.executable,
    "-m",
    "pip",
    "install",
    "--disable-pip-version-check",
    "--progress-bar",
    "off",
    "--require-hashes",
]
#: What pip prints for each package it has found, or finds to be here already.
FOUND = re.compile(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)")


def main(lock: Path) -> int:
    """pip's exit code."""
    wanted = len(re.findall(r"^[\w.-]+(?:\[[^]]*\])?==", lock.read_text(encoding="utf-8"), re.M))
    said, found = [], 0
    with subprocess.Popen([*PIP, "-r", str(lock)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        for line in pip.stdout or ():
            said.append(line)
            if package := FOUND.match(line):
                found = min(found + 1, wanted)
                _show(found, wanted, package[1])
            elif line.startswith("Installing collected packages"):
                _show(wanted, wanted, "putting them in place ...")
    _end("".join(said) if pip.returncode else "")
    return pip.returncode


def _show(found: int, wanted: int, what: str) -> None:
    if sys.stdout.isatty():
        bar = "#" * (WIDTH * found // wanted)
        print(f"\r\033[K  [{bar:.<{WIDTH}}] {found} of {wanted}  {what}", end="", flush=True)


def _end(failure: str) -> None:
    if sys.stdout.isatty():
        print("\r\033[K", end="")
    if failure:
        print(f"{failure}\nThe packages could not be installed; pip's own words are above. Nothing else was changed.")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
