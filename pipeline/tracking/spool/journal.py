"""What the door has seen, on disk until the drain has committed it: Redis may forget, this does not.

Files in the spool, one set per boot:

    <boot>.lock            held with flock while the owner lives; a free one is a dead door's, to be adopted
    <boot>-<counter>.log   packed frames from that counter on; a segment is deleted once wholly committed

A frame is one write to the page cache without fsync: it survives the process, and Redis, but a power cut
within the kernel's write-back time (some 30 s) only where Redis's own file survives it.
"""

from __future__ import annotations

import fcntl
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.engagement import records

READ_BYTES = 256 << 10
_MOST_MARKERS = 1024


@dataclass(slots=True)
class Segment:
    """One file: its first counter and its size in bytes."""

    path: Path
    first: int
    size: int


@dataclass(slots=True)
class Shelf:
    """One boot's segments, oldest first, and what is known of them.

    `written`: the highest counter on disk. `committed`: the highest the drain has in PostgreSQL without a
    gap before it. `doubt`: everything up to here may be missing from Redis (0: nothing is); `doubted_at` is
    when that was first so, on the caller's clock in seconds. `posted`: counters with the stream id under
    which Redis acknowledged them, oldest first, thinned out.
    """

    boot: bytes
    lock: int
    segments: deque[Segment] = field(default_factory=deque)
    written: int = 0
    committed: int = 0
    doubt: int = 0
    doubted_at: float = 0.0
    posted: deque[tuple[int, bytes]] = field(default_factory=deque)

    @property
    def pending(self) -> int:
        """How many events on disk are not known to be committed."""
        return max(0, self.written - self.committed)

    def mark(self, counter: int, stream_id: bytes) -> None:
        """Redis has acknowledged an entry that ends at `counter`; every second marker goes when there are many."""
        if len(self.posted) >= _MOST_MARKERS:
            self.posted = deque(list(self.posted)[::2])
        in_order = not self.posted or counter > self.posted[-1][0]
        self.posted.append((counter, stream_id))
        if not in_order:
            self.posted = deque(sorted(self.posted))

    def raise_doubt(self, counter: int, *, now: float) -> None:
        """Everything up to `counter` may be missing from Redis."""
        if counter <= self.committed:
            return
        if self.doubt <= self.committed:
            self.doubted_at = now
        self.doubt = max(self.doubt, counter)

    def doubt_posted(self, *, now: float) -> None:
        """Redis may have lost all that it acknowledged and nobody committed."""
        if self.posted:
            self.raise_doubt(self.posted[-1][0], now=now)
            self.posted.clear()

    def allay(self, upto: int, *, now: float) -> None:
        """Everything up to `upto` was posted again; doubts raised meanwhile stay, and are as old as `now`."""
        if self.doubt <= upto:
            self.doubt = 0
        self.doubted_at = now

    def settle(self, committed: int) -> int:
        """Delete what the drain has committed. Returns the bytes freed."""
        self.committed = max(self.committed, committed)
        freed = 0
        while self.segments and self._last(0) <= self.committed:
            segment = self.segments.popleft()
            freed += segment.size
            segment.path.unlink(missing_ok=True)
        while self.posted and self.posted[0][0] <= self.committed:
            self.posted.popleft()
        return freed

    def payloads(self) -> Iterator[tuple[bytes, int]]:
        """What is not committed, as payloads of some 256 KiB, each with the counter of its last event."""
        wanted = [one.path for place, one in enumerate(self.segments) if self._last(place) > self.committed]
        for path in wanted:
            yield from _payloads(path, after=self.committed)

    def _last(self, place: int) -> int:
        following = place + 1
        return self.segments[following].first - 1 if following < len(self.segments) else self.written


class Journal:
    """This process's shelf, and those it adopted. All of it together stays below `limit` bytes."""

    def __init__(self, directory: Path, *, limit: int = 1 << 30, segment_bytes: int = 8 << 20) -> None:
        """Raises OSError where the directory cannot be written."""
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory, self._limit, self._segment_bytes = directory, limit, segment_bytes
        self._file = -1
        self.size = 0
        self.own = self._begun()
        self.adopted: list[Shelf] = []

    @property
    def shelves(self) -> list[Shelf]:
        """Our own first."""
        return [self.own, *self.adopted]

    def append(self, payload: bytes, *, last: int) -> bool:
        """Write one frame whose last event has counter `last`. False: no room or no disk, and nothing was kept."""
        if self.size + len(payload) > self._limit:
            return False
        try:
            if self._file < 0 or self.own.segments[-1].size + len(payload) > self._segment_bytes:
                self._rotate()
            written = os.write(self._file, payload)
        except OSError:
            return False
        segment = self.own.segments[-1]
        if written != len(payload):
            os.ftruncate(self._file, segment.size)
            return False
        segment.size += written
        self.size += written
        self.own.written = last
        return True

    def settle(self, shelf: Shelf, committed: int) -> None:
        """The drain has committed `shelf` up to this counter: give the space back, forget finished dead doors."""
        self.size -= shelf.settle(committed)
        if shelf is self.own:
            if not shelf.segments:
                self._close_file()
        elif not shelf.segments:
            self.adopted.remove(shelf)
            _bury(self._directory, shelf)

    def adopt(self, *, now: float) -> int:
        """Take over the segments of doors that are gone. All of it is in doubt. Returns how many doors."""
        found = 0
        for path in sorted(self._directory.glob("*.lock")):
            lock = _free_lock(path)
            if lock is None:
                continue
            shelf = _recovered(self._directory, bytes.fromhex(path.stem), lock)
            if not shelf.written:
                _bury(self._directory, shelf)
                continue
            shelf.raise_doubt(shelf.written, now=now)
            self.adopted.append(shelf)
            self.size += sum(segment.size for segment in shelf.segments)
            found += 1
        return found

    def close(self) -> None:
        """Let go. What is not committed stays for the next door to adopt."""
        self._close_file()
        for shelf in self.shelves:
            if shelf.segments:
                os.close(shelf.lock)
            else:
                _bury(self._directory, shelf)

    def _begun(self) -> Shelf:
        while True:
            boot = os.urandom(records.BOOT_BYTES)
            path = self._directory / f"{boot.hex()}.lock"
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            if (lock := _free_lock(path)) is not None:
                return Shelf(boot, lock)

    def _rotate(self) -> None:
        self._close_file()
        first = self.own.written + 1
        path = self._directory / f"{self.own.boot.hex()}-{first:015d}.log"
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        self.own.segments.append(Segment(path, first, 0))

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _free_lock(path: Path) -> int | None:
    """The lock's descriptor if nobody holds it and it is still the file of that name."""
    try:
        lock = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.exists() and path.stat().st_ino == os.fstat(lock).st_ino:
            return lock
    except OSError:
        pass
    os.close(lock)
    return None


def _bury(directory: Path, shelf: Shelf) -> None:
    for segment in shelf.segments:
        segment.path.unlink(missing_ok=True)
    (directory / f"{shelf.boot.hex()}.lock").unlink(missing_ok=True)
    os.close(shelf.lock)


def _recovered(directory: Path, boot: bytes, lock: int) -> Shelf:
    """A dead door's shelf. Names tell where segments begin; only the last must be read to its end."""
    shelf = Shelf(boot, lock)
    for path in sorted(directory.glob(f"{boot.hex()}-*.log")):
        shelf.segments.append(Segment(path, int(path.stem.partition("-")[2]), path.stat().st_size))
    if shelf.segments:
        tail = shelf.segments[-1]
        shelf.written = max((last for _, last in _payloads(tail.path, after=0)), default=tail.first - 1)
    return shelf


def _payloads(path: Path, *, after: int) -> Iterator[tuple[bytes, int]]:
    """A segment's frames beyond counter `after`; a torn tail ends it quietly."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        rest, wanted = b"", READ_BYTES
        while piece := file.read(wanted):
            frames, used = records.split(rest + piece)
            rest = (rest + piece)[used:]
            # a frame longer than the step is read in steps that double
            wanted = READ_BYTES if frames else wanted * 2
            if fresh := [one for one in frames if one.last > after]:
                yield b"".join(one.payload for one in fresh), fresh[-1].last
