"""Designs that editors write themselves: MJML with values in it, judged before anybody gets a letter.

In: a source, an edition's content.
Out: problems with their line and column, or an edition rendered as the shipped designs are.
Owns: the dated table of MJML's tags.
Never: calls, includes, fetches, or prints what it was not given; lets an author keep a worker busy.
Promise: what the compiler would pass silently is said; no source ends in anything but problems or a letter.
"""
