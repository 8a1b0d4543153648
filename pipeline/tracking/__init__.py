"""The click door: a reader's click is answered from memory, and remembered.

In: requests for /c/<token> and /o/<token>, and those of the newsroom's own site; the links of each origin from PostgreSQL.
Out: a redirect to our own link or our front page, and packed events in Redis and in a journal on disk.
Owns: the spool below the data directory (journal segments, the snapshots of links and lists, the visitors' salt).
Never: imports Django, judges an event, redirects to an address that came with the request.
Promise: the redirect needs neither PostgreSQL nor Redis, and an event answered for is counted once.
"""
