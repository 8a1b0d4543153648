"""Programs that are told what happens here: who they are, what they hear, how it went.

In: an administrator's address with the events it asks for; a pause, a try, a repetition.
Out: each hook with its last notices in words; its secret, in one answer and never again.
Owns: nothing.
Never: shows a whole address to whoever is no administrator, accepts one the guard would refuse.
Promise: every change stands in the journal.
"""
