"""Events on their way out: a journal on disk first, then Redis, and again after Redis forgot.

In: encoded events from the doors; what the drain says it has committed.
Out: packed entries in the stream `dateline:events`.
Owns: journal segments and their locks below the spool directory.
Never: looks inside an event, blocks an answer on Redis, gives an event a second id.
Promise: what was answered for reaches the stream at least once, under one id, whoever dies.
"""
