"""`dateline measure-post`: how long a text is for a network, by the network's own rule; JSON lines in and out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from pipeline.channels import facts
from pipeline.commands.unusable import UnusableInput


def measure(lines: Iterable[str], *, network: str) -> Iterator[dict[str, Any]]:
    """One answer per line that is not blank: {length, limit, valid, urls}.

    A line is a JSON string, or a JSON object with "text". A line that is neither gets {"length": null, "limit",
    "valid": false, "urls": [], "warnings": [...]}. Raises UnusableInput at once for a network we have no facts of.
    """
    try:
        name = facts.network_named(network).name
    except facts.UnknownNetworkError as unknown:
        raise UnusableInput(str(unknown)) from unknown
    return (_answer(line, network=name) for line in lines if line.strip())


def _answer(line: str, *, network: str) -> dict[str, Any]:
    try:
        measured = facts.measure(network, _text(line))
    except ValueError as ill_formed:
        return {
            "length": None,
            "limit": facts.network_named(network).limit,
            "valid": False,
            "urls": [],
            "warnings": [str(ill_formed)],
        }
    return {
        "length": measured.length,
        "limit": measured.limit,
        "valid": measured.valid,
        "urls": list(measured.urls),
    }


def _text(line: str) -> str:
    """The text of one input line. Raises ValueError that says what is wrong with it."""
    try:
        value = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    text = value.get("text") if isinstance(value, dict) else value
    if isinstance(text, str):
        return text
    raise ValueError('a line is a JSON string or an object with a string "text"')
