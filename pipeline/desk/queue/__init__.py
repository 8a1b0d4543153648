"""Everything that is to leave, is leaving or has just left: mail, alerts and posts in one table, and one send opened.

In: a signed-in user's look; rows of one state with what is to be done to them. Out: a table, a send with its batches, its
providers and their paces, a flash that tells what became of every row.
Owns: nothing; the rooms of editions, sends and posts act.
Never: counts what it can know without counting, acts on rows of two states at once, hides what may arrive twice.
Promise: a row says its state, what happens next by itself, and who decided; its numbers cost the same for a million readers.
"""
