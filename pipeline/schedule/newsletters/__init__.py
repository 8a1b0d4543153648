"""Newsletters as publications: how one begins, and how its settings and blocks are changed.

In: a plan, settings or blocks as a person wants them, with what that person saw.
Out: rows, a journal entry with old and new, a sentence of what happens now.
Owns: nothing; editions owns the rows.
Never: overwrites what somebody has not seen, leaves times and settings half changed.
Promise: a change happens whole or not at all, and what is refused says why.
"""
