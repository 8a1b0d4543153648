"""Which stories an edition carries, and why.

In: a newsletter's rules, the stories that could be considered, what a person has placed, what readers liked.
Out: a choice for every candidate, placed with a reason or left out with one, and the blocks that came up short.
Owns: rules and their sentences, the order of choosing, limits and how they give way, carry-over.
Never: fetches, renders, or leaves a candidate without an answer.
Promise: the same rules and candidates give the same edition; nothing stands twice.
"""
