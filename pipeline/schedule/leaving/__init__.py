"""How an edition leaves when it is not simply mailed to all at its slot.

In: an edition whose time has come and that nobody approved.
Out: an edition cut down to its lead.
Owns: what "lead only" leaves.
Never: begins a send, approves.
Promise: what leaves alone is what would have led.
"""
