"""Asking another site while a person or a program waits for the answer."""

from __future__ import annotations

import time
from collections.abc import Mapping

from pipeline.kernel.outbound.http import Answer, Client, TooSlow, Validators

PATIENCE_S = 18.0  #: after this nothing more is asked; what is under way ends within ONE_ANSWER_S
ONE_ANSWER_S, ONE_READ_S = 9.0, 5.0


class Patient(Client):
    """The guarded client for as long as someone waits: after PATIENCE_S it asks for nothing more."""

    def __init__(self, *, site_url: str, allow: frozenset[str]) -> None:
        super().__init__(site_url=site_url, allow=allow, io_s=ONE_READ_S, wall_s=ONE_ANSWER_S)
        self._until = time.monotonic() + PATIENCE_S

    def get(
        self,
        url: str,
        *,
        limit_bytes: int,
        validators: Validators | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Raises TooSlow once the time is spent."""
        if time.monotonic() > self._until:
            raise TooSlow(f"the site takes longer than {PATIENCE_S:g} s")
        return super().get(url, limit_bytes=limit_bytes, validators=validators, headers=headers)
