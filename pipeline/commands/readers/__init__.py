"""Verbs for readers: entering lists, handing them out, giving one reader everything or erasing them.

In: files and addresses.
Out: reports with what was refused and why; CSV; JSON.
Owns: nothing.
Never: erases without being told twice.
Promise: what is repeated or was interrupted doubles nobody.
"""
