"""The one error of the pure verbs."""

from __future__ import annotations


class UnusableInput(ValueError):
    """What was given cannot be used at all; the message is one clear line. Ends in exit code 2."""
