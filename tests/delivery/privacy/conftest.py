"""The scenes of a send."""

from tests.delivery.course.conftest import begun

__all__ = ["begun"]
