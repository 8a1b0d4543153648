"""The door for programs: all an editor can do, as JSON, with a token.

In: a request with `Authorization: Bearer`; for what can change meanwhile, the revision the program looked at.
Out: rows as plain data, acts answered in words, refusals in one shape; the OpenAPI description of all of it.
Owns: the shapes, the count of requests by token; no table.
Never: knows a session, changes a row itself, answers more rows than a page, lets a token do more than its owner may.
Promise: an act asked for twice is done once, and whoever is refused is told why, what was kept and what to do.
"""
