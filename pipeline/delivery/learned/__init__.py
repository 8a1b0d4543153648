"""What readers who consented are known to follow, from their own clicks.

In: events kept as consented; deliveries, which know whose ordinal it was.
Out: Interest rows for segments to ask.
Owns: nothing.
Never: learns from an act of a reader who agreed to counting only, or keeps what was learned when consent is taken back.
Promise: the rows equal a recount of the consented events there are.
"""
