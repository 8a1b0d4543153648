"""The one error of the pure verbs, raised by readers of bytes below and by the verbs themselves."""

from pipeline.articles.raw.markup import UnusableInput

__all__ = ["UnusableInput"]
