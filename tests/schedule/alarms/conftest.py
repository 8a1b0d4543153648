"""A relay on loopback that keeps the letters it took."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from pipeline.kernel import config as settings
from pipeline.kernel.config import config
from pipeline.schedule.alarms import letters, looks


class Letters:
    """What the relay took, and whom it refuses."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, EmailMessage]] = []
        self.refused: set[str] = set()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it by this name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self.refused:
            return "550 5.1.1 no such editor"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - likewise
        told = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(told, EmailMessage)
        self.taken += [(to, told) for to in envelope.rcpt_tos]
        return "250 OK"

    def words(self, number: int = 0) -> str:
        part = self.taken[number][1].get_body(("plain",))
        assert part is not None
        return str(part.get_content())


@pytest.fixture
def at_relay(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Point the settings at a relay, or at none."""

    def point(url: str) -> None:
        known = replace(config(), smtp_url=url, mail_from="desk@dispatch.example")
        for place in (letters, looks, settings):
            monkeypatch.setattr(place, "config", lambda: known)

    return point


@pytest.fixture
def post(at_relay: Any) -> Iterator[Letters]:
    taken = Letters()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(taken, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        at_relay(f"smtp://127.0.0.1:{port}")
        yield taken
    finally:
        controller.stop()
