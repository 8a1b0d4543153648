"""Asking the database for no longer than a person waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled


class TookTooLong(Exception):
    """The database did not answer in time; nothing was changed."""


@contextmanager
def within(ms: int) -> Iterator[None]:
    """Statements of the block are cancelled after so many milliseconds each. Raises TookTooLong."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {int(ms)}")
            yield
            cursor.execute("SET LOCAL statement_timeout = DEFAULT")  # the caller's transaction may go on
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TookTooLong from error
        raise
