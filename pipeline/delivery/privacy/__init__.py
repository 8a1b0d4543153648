"""What a reader may ask of us by law: all we hold about them, and to be forgotten.

In: a reader, and a yes where something is removed.
Out: everything held, as plain data; what erasing takes and leaves, counted before and after.
Owns: nothing.
Never: removes an outcome from a send's counts, or an address from the suppressed.
Promise: after erasing no row holds the address, and no list brings it back; only its owner can.
"""
