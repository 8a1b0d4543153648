"""One box from which every screen and every row is two keys away.

In: what someone types. Out: links to screens, stories, editions, newsletters, sites and accounts.
Owns: which screens there are by name, and how much of each kind is looked for.
Never: acts, or names a reader: those are found in their own room, by role.
Promise: whoever knows a word of it finds it; an empty box lists every screen.
"""
