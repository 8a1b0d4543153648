"""`dateline read-bounce`: what returned mails say of the addresses they came back from; one JSON object per file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.delivery.feedback.bounces import Bounce, read


def lines(paths: Iterable[Path | str]) -> Iterator[dict[str, Any]]:
    """One answer per file (raw RFC 5322 bytes), in order: {path, recipient, kind, reason, status, action}.

    `kind` is hard, soft, complaint, auto-reply or none. A file that cannot be read is kind none, with "warnings".
    """
    for path in map(Path, paths):
        try:
            raw = path.read_bytes()
        except OSError as error:
            yield _answer(path, Bounce()) | {"warnings": [f"cannot be read: {error.strerror}"]}
        else:
            yield _answer(path, read(raw))


def _answer(path: Path, bounce: Bounce) -> dict[str, Any]:
    return {"path": str(path), **asdict(bounce), "kind": bounce.kind.value}
