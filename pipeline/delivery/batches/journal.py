"""What one holder of a batch was doing, written before and after each final dot, read only after its death.

A file per claim, locked while its writer lives and made before the claim is: a claim without a file cannot
be. `os.write` survives kill -9 (0.4 us a line); it is not synced,
so a file from before a reboot proves nothing and everything still open in it is in doubt.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.channels.base import Outcome, Receipt

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """This boot of this machine; "" where the system does not say."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def machine() -> str:
    """Which running kernel this is: containers on it share their locks, a reboot makes it another one."""
    return boot_id() or socket.gethostname()


def path_of(*, data_dir: Path, batch_id: int, fence: int) -> Path:
    """Where the journal of one claim is kept."""
    return data_dir / "journal" / f"{batch_id}.{fence}"


class WriterLives(Exception):
    """The process that holds this claim is alive; whatever it is doing, it is not ours to judge."""


class Journal:
    """Written by the engine as it goes (a MailJournal). `discard` it only when every result is recorded."""

    def __init__(self, path: Path) -> None:
        """Make and lock the file. Raises WriterLives if another process is taking the same claim."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        _lock(self._handle, path)
        os.ftruncate(self._handle, 0)  # left by a process that died before it won the claim
        os.write(self._handle, f"B {boot_id()}\n".encode())

    def dot(self, key: int) -> None:
        """The next write carries this delivery's final dot."""
        os.write(self._handle, b"D %d\n" % key)

    def answer(self, receipt: Receipt) -> None:
        """What came of it."""
        line = json.dumps([receipt.key, receipt.outcome.value, receipt.code, receipt.enhanced, receipt.text[:200]])
        os.write(self._handle, b"A " + line.encode() + b"\n")

    def discard(self) -> None:
        """Everything in it is in the database: it may go."""
        self._path.unlink(missing_ok=True)
        os.close(self._handle)

    def abandon(self) -> None:
        """Let go of the lock and keep the file: whoever takes the claim over reads it."""
        os.close(self._handle)


@dataclass(slots=True)
class Testimony:
    """What a dead writer's journal proves. `dotted` went out without an answer; what is in neither never left."""

    trusted: bool
    answers: dict[int, Receipt] = field(default_factory=dict)
    dotted: set[int] = field(default_factory=set)


def testimony(path: Path) -> Testimony:
    """Read the journal of a dead writer. Raises WriterLives while it is locked.

    A missing file was lost with its directory, not finished with: it proves nothing.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return Testimony(trusted=False)
    _lock(handle, path)
    with os.fdopen(handle, "rb") as file:
        return _read(file.read().split(b"\n"))


def _lock(handle: int, path: Path) -> None:
    """Lock an open journal. Raises WriterLives if it is held, or was discarded between opening and locking."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        same = os.fstat(handle).st_ino == path.stat().st_ino
    except OSError as error:
        os.close(handle)
        raise WriterLives(str(path)) from error
    if not same:
        os.close(handle)
        raise WriterLives(str(path))


def _read(lines: list[bytes]) -> Testimony:
    found = Testimony(trusted=lines[0] == f"B {boot_id()}".encode() and bool(boot_id()))
    for line in lines[1:-1]:  # a last line without its end was cut off by the kill: it says nothing
        try:
            _take_in(line, found)
        except (
            ValueError,
            TypeError,
        ):  # a full disk cuts lines in the middle: what else it hides is not known
            found.trusted = False
    found.dotted -= found.answers.keys()
    return found


def _take_in(line: bytes, found: Testimony) -> None:
    if line.startswith(b"D "):
        found.dotted.add(int(line[2:]))
    elif line.startswith(b"A "):
        key, outcome, code, enhanced, text = json.loads(line[2:])
        found.answers[key] = Receipt(key=key, outcome=Outcome(outcome), code=code, enhanced=enhanced, text=text)
