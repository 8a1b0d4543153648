"""Digests that compose themselves and explain themselves.

In: eligible articles, the standings, the newsletter's blocks.
Out: an edition with items, a reason for each pick and each near miss, and its rendered bytes.
Owns: Newsletter, Block, Edition, Item.
Never: knows a reader, sends, decides when.
Promise: the same inputs give the same bytes; what an editor previews is what is sent.
"""
