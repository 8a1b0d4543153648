"""What can keep our processes from starting, apart from what raises it: the pure verbs catch these and load no engine."""

from __future__ import annotations


class EngineError(Exception):
    """An engine could not be started; the message says what was tried and what to do."""


class Busy(EngineError):
    """Another process owns this data directory."""


class PortTaken(Exception):
    """Something else listens where a process of ours should."""
