"""Verbs for what an editor does: accounts and newsletters, a send now, Most Popular.

In: names, slugs, times.
Out: rows, a send under way with its progress, lists as JSON.
Owns: nothing.
Never: sends before it was asked.
Promise: the same acts as the desk's.
"""
