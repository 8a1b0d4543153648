"""How an edition leaves when it is not simply mailed to all at its slot.

In: an edition whose time comes, the zones its readers live in.
Out: an instant for each zone; an edition cut down to its lead.
Owns: readers' own clocks, what "lead only" leaves.
Never: begins a send, approves.
Promise: the slot's wall-clock time in every zone, by the same rules as in the newsroom's own.
"""
