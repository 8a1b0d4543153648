"""Readers chosen by a rule in a small language of our own.

In: a rule as JSON.
Out: a parsed rule, or where it cannot be read and why; a SQL condition with its parameters; a count.
Owns: Segment.
Never: takes SQL from anybody, judges a reader whose acts cannot be seen as inactive.
Promise: a rule that cannot be read chooses nobody.
"""
