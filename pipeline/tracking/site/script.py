"""The beacon's script as it is served: b.js without its comments and indents."""

from __future__ import annotations

from pathlib import Path

from pipeline.tracking.answers import OPEN, Header, Scope, Send, reply

_SOURCE = Path(__file__).with_name("b.js")
_HEADERS: tuple[Header, ...] = (
    (b"cache-control", b"public, max-age=3600, stale-if-error=86400"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
    OPEN,
)


def served() -> bytes:
    """At most 1 KB: every comment of b.js has a line to itself."""
    lines = (line.strip() for line in _SOURCE.read_text(encoding="ascii").splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//")).encode()


async def answer(script: bytes, scope: Scope, send: Send) -> None:
    """Serve what `served` gave."""
    status, body = (200, script) if scope["method"] in ("GET", "HEAD") else (405, b"")
    await reply(send, status, b"text/javascript; charset=utf-8", body, headers=_HEADERS)
