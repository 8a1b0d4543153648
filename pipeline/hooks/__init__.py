"""What happened here, told to other programs that asked to know.

In: an event's name and body from any room, inside its transaction.
Out: one signed POST per hook and event, tried again until it is taken or given up.
Owns: Hook, Notice.
Never: trusts an answer's body, calls inside a transaction, knows what an event means.
Promise: an event that was committed is told at least once, under one id, or listed as given up.
"""
