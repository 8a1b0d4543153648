"""From MJML to the HTML of a letter: rules marked inline are written into their elements, Outlook's comments joined."""

from __future__ import annotations

import re
from typing import NoReturn

from css_inline import CSSInliner, InlineError
from mjml import mjml2html

#: mrml closes a conditional for Outlook and opens it again at once; together they are 3 % of a digest.
_SEAM = re.compile(r"<!\[endif\]-->\s*<!--\[if mso \| IE\]>")
_INDENT = re.compile(r"\s*\n\s*")
#: mrml leaves these in the head as if they were not marked, so they are taken out before it sees them.
_INLINE = re.compile(r"<mj-style\b[^>]*\sinline=[\"']inline[\"'][^>]*>(.*?)</mj-style>", re.DOTALL | re.IGNORECASE)


class UnusableTemplate(ValueError):
    """A design that MJML cannot compile; the message says where."""


def compiled(source: str) -> str:
    """MJML to HTML, tidied. Raises UnusableTemplate."""
    rules: list[str] = _INLINE.findall(source)
    try:
        made = mjml2html(_INLINE.sub("", source) if rules else source, include_loader=_no_includes)
    except ValueError as error:
        raise UnusableTemplate(f"MJML cannot compile this design: {error}") from error
    except BaseException as panic:  # mrml panics over `漢>`; pyo3 hands that on as a BaseException
        if type(panic).__name__ != "PanicException":
            raise
        raise UnusableTemplate("MJML cannot compile this design: its compiler gave up") from panic
    if rules:
        made = _inlined(made, rules="\n".join(rules))
    return _INDENT.sub("\n", _SEAM.sub("", made)).strip() + "\n"


def _inlined(markup: str, *, rules: str) -> str:
    """`rules` alone are written into `style` attributes; the design's own style elements stay as they are."""
    inliner = CSSInliner(
        inline_style_tags=False,
        keep_style_tags=True,
        keep_link_tags=True,
        load_remote_stylesheets=False,
        extra_css=rules,
    )
    try:
        return inliner.inline(markup)
    except InlineError as error:
        raise UnusableTemplate(f"the rules marked inline cannot be read: {error}") from error


def _no_includes(path: str) -> NoReturn:
    """Jinja includes our parts. mrml's own include loses the width of the body, and is a way to foreign files."""
    raise UnusableTemplate(f"mj-include is not used here: {path}")
