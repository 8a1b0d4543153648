"""Single letters to readers: what asks them to confirm.

In: the id of a Confirmation nobody has sent.
Out: one letter handed to the relay, in the reader's language.
Owns: nothing.
Never: sends an edition, or a letter nobody asked for.
Promise: a letter is taken by one process and handed over once; one the relay did not take is tried again.
"""
