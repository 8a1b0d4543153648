"""One look at one channel: what is asked of the site, and what its answer tells.

In: a channel's row and the client that may fetch.
Out: `Told`, all that a good answer says, or `Failed`, why there was none.
Owns: how each kind of channel is asked; which validators are sent and which are believed; courtesy to strangers.
Never: writes a row, decides that a story is new, retries.
Promise: an answer that makes no sense leaves what we knew; no look takes longer than its lease.
"""
